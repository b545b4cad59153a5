// SPDX-License-Identifier: GPL-2.0
/*
 * DPDK's single rate three color marker (RFC 2697), of which only green is used: it is
 * inline, and needs nothing of DPDK but its header. Its clock is the CPU's counter. It
 * is not for several threads at once, and has no way to ask several meters and charge
 * none if one of them refuses.
 */
#include <stdlib.h>
#include <x86intrin.h>

#include <rte_meter.h>

#include "native.h"

struct meter {
	struct rte_meter_srtcm_profile profile;
	struct rte_meter_srtcm m;
} __attribute__((aligned(64)));

static unsigned long tsc_read(void *const *limits, unsigned int n,
			      unsigned long times)
{
	unsigned long i;

	(void)limits;
	(void)n;
	for (i = 0; i < times; i++) {
		uint64_t now = __rdtsc();

		__asm__ __volatile__("" : : "r"(now));
	}
	return times;
}

static uint64_t tsc_hz(void)
{
	static uint64_t hz;
	uint64_t start = now_ns(), tsc = __rdtsc(), now;

	if (hz)
		return hz;
	do {
		now = now_ns();
	} while (now - start < 20000000);
	hz = (__rdtsc() - tsc) * 1000000000ULL / (now - start);
	return hz;
}

/*
 * As rte_meter_srtcm_profile_config() would: a whole number of bytes in a whole number
 * of cycles. It asks the EAL how long these are, which there is none of.
 */
static void *meter_make(bool refuses)
{
	struct meter *meter = aligned_alloc(64, sizeof(*meter));
	uint64_t burst = refuses ? 1 : BURST, hz = tsc_hz();

	meter->profile = (struct rte_meter_srtcm_profile){
		.cbs = burst,
		.ebs = 0,
		.cir_period = refuses ? hz * 86400 : hz / (RATE / 100),
		.cir_bytes_per_period = refuses ? 1 : 100,
	};
	meter->m = (struct rte_meter_srtcm){
		.time = __rdtsc(),
		.tc = burst,
	};
	return meter;
}

static unsigned long meter_take(void *const *limits, unsigned int n,
				unsigned long times)
{
	unsigned long admitted = 0, i;
	unsigned int k;

	for (i = 0; i < times; i++) {
		uint64_t now = __rdtsc();
		bool green = true;

		for (k = 0; k < n; k++) {
			struct meter *meter = limits[k];

			green &= rte_meter_srtcm_color_blind_check(&meter->m, &meter->profile,
								   now, 1) == RTE_COLOR_GREEN;
		}
		admitted += green;
	}
	return admitted;
}

const struct subject tsc_subject = {
	.key = "tsc",
	.situations = 1 << ONE,
	.take = tsc_read,
};

const struct subject dpdk_subject = {
	.key = "dpdk",
	.situations = 1 << ONE | 1 << APART | 1 << CHAINED | 1 << REFUSED,
	.make = meter_make,
	.take = meter_take,
};
