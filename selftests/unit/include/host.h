/* SPDX-License-Identifier: GPL-2.0 */
/*
 * As much of the kernel as the module's decision needs to be compiled on the
 * host: what kmod/admit.c and what it includes ask of <linux/...>.
 *
 * It does what the kernel does where that costs something or can go wrong, so
 * that times and races are worth looking at: spin locks are fair and count
 * preemption, as a kernel's are and do; per-CPU memory is an offset away that each
 * thread knows. Who uses it says which CPU a thread is (host_cpu_set()), and keeps
 * two threads from being the same at once: nothing else disables preemption.
 * RCU is left to the caller; there is no lockdep, but a lock that should be held
 * and that nobody holds ends the program.
 */
#ifndef REIN_UNIT_HOST_H
#define REIN_UNIT_HOST_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <linux/types.h>
#include <linux/compiler.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s64 s64;
typedef unsigned int gfp_t;

#ifndef U64_MAX
#define U64_MAX			((__u64)~0ULL)
#endif
#define NSEC_PER_MSEC		1000000L
#define GFP_NOWAIT		0
#define GFP_KERNEL		0
#define __GFP_NOWARN		0

#define __rcu
#define __percpu
#define __acquires(x)
#define __releases(x)
#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#endif
#define ____cacheline_aligned_in_smp	__attribute__((aligned(64)))

#define barrier()		__asm__ __volatile__("" ::: "memory")
/* What the kernel's of the same name is. */
#define smp_store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)

#define unlikely(x)		__builtin_expect(!!(x), 0)
#define likely(x)		__builtin_expect(!!(x), 1)
#define check_add_overflow(a, b, d)	__builtin_add_overflow(a, b, d)
#define check_mul_overflow(a, b, d)	__builtin_mul_overflow(a, b, d)

#define min(a, b) ({ __typeof__(a) a_ = (a), b_ = (b); a_ < b_ ? a_ : b_; })
#define max(a, b) ({ __typeof__(a) a_ = (a), b_ = (b); a_ > b_ ? a_ : b_; })

static inline unsigned int order_base_2(unsigned long n)
{
	return n > 1 ? 64 - __builtin_clzl(n - 1) : 0;
}

/* Bits: none of a bitmap of more than one word is needed. */
#define DECLARE_BITMAP(name, bits)	unsigned long name[1 + ((bits) - 1) / 64]

static inline void __set_bit(unsigned int bit, unsigned long *map)
{
	map[bit / 64] |= 1UL << bit % 64;
}

static inline bool test_bit(unsigned int bit, const unsigned long *map)
{
	return map[bit / 64] >> bit % 64 & 1;
}

static inline unsigned int find_next_bit(const unsigned long *map,
					 unsigned int n, unsigned int bit)
{
	while (bit < n && !test_bit(bit, map))
		bit++;
	return bit;
}

#define for_each_set_bit(bit, map, n)					\
	for ((bit) = find_next_bit(map, n, 0); (bit) < (n);		\
	     (bit) = find_next_bit(map, n, (bit) + 1))

/* --- CPUs -------------------------------------------------------------------- */

#define HOST_CPUS		16

extern unsigned int host_cpus;		/* how many there are */
/* The section of per-CPU variables, whose ends the linker knows. */
extern char __start_host_percpu[], __stop_host_percpu[];
extern long host_percpu_offset[HOST_CPUS];
extern __thread unsigned int host_cpu;
extern __thread long host_this_offset;
extern __thread unsigned int host_preempt_count;
extern unsigned long host_jiffies;

/* The program's, whatever it takes for time. */
u64 ktime_get_ns(void);

void host_cpu_set(unsigned int cpu);
void *host_alloc_percpu(size_t size, size_t align);
void host_free_percpu(void *pcpu);

#define for_each_possible_cpu(cpu)	\
	for ((cpu) = 0; (unsigned int)(cpu) < host_cpus; (cpu)++)
#define for_each_online_cpu(cpu)	for_each_possible_cpu(cpu)
#define num_online_cpus()	host_cpus
#define num_possible_cpus()	host_cpus
#define nr_cpu_ids		host_cpus
#define smp_processor_id()	host_cpu
#define raw_smp_processor_id()	host_cpu
#define jiffies			__atomic_load_n(&host_jiffies, __ATOMIC_RELAXED)

#define DEFINE_PER_CPU(type, name)	\
	__attribute__((section("host_percpu"))) __typeof__(type) name
#define per_cpu_ptr(p, cpu)	\
	((__typeof__(p))((uintptr_t)(p) + host_percpu_offset[cpu]))
#define this_cpu_ptr(p)		\
	((__typeof__(p))((uintptr_t)(p) + host_this_offset))
#define raw_cpu_ptr(p)		this_cpu_ptr(p)
#define alloc_percpu_gfp(type, gfp)	\
	((type *)host_alloc_percpu(sizeof(type), __alignof__(type)))
#define alloc_percpu(type)	alloc_percpu_gfp(type, GFP_KERNEL)
#define netdev_alloc_pcpu_stats(type)	alloc_percpu(type)
#define free_percpu(p)		host_free_percpu(p)

static inline void preempt_disable(void)
{
	host_preempt_count++;
	barrier();
}

static inline void preempt_enable(void)
{
	barrier();
	host_preempt_count--;
}

#define local_bh_disable()	preempt_disable()
#define local_bh_enable()	preempt_enable()

/* --- locks ------------------------------------------------------------------- */

/* Who holds it may not be running, which in the kernel can't be. */
#ifndef HOST_SPINS
#define HOST_SPINS		4096
#endif

static inline void host_relax(unsigned int *spins)
{
	if (!(++*spins % HOST_SPINS))
		sched_yield();
	__builtin_ia32_pause();
}

/* Whoever comes first is served first, as by the kernel's queued locks. */
typedef struct {
	u16 owner;
	u16 next;
} spinlock_t;

static inline void spin_lock_init(spinlock_t *lock)
{
	*lock = (spinlock_t){ };
}

static inline bool host_is_locked(spinlock_t *lock)
{
	return __atomic_load_n(&lock->owner, __ATOMIC_RELAXED) !=
	       __atomic_load_n(&lock->next, __ATOMIC_RELAXED);
}

static inline void spin_lock(spinlock_t *lock)
{
	unsigned int spins = 0;
	u16 mine;

	preempt_disable();
	mine = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);
	while (__atomic_load_n(&lock->owner, __ATOMIC_ACQUIRE) != mine)
		host_relax(&spins);
}

static inline bool spin_trylock(spinlock_t *lock)
{
	u16 owner = __atomic_load_n(&lock->owner, __ATOMIC_ACQUIRE);
	u16 next = owner;

	preempt_disable();
	if (__atomic_compare_exchange_n(&lock->next, &next, owner + 1, false,
					__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return true;
	preempt_enable();
	return false;
}

static inline void spin_unlock(spinlock_t *lock)
{
	u16 owner = __atomic_load_n(&lock->owner, __ATOMIC_RELAXED);

	__atomic_store_n(&lock->owner, owner + 1, __ATOMIC_RELEASE);
	preempt_enable();
}

#define spin_lock_nest_lock(lock, map)	spin_lock(lock)
#define spin_lock_bh(lock)	do { local_bh_disable(); spin_lock(lock); } while (0)
#define spin_unlock_bh(lock)	do { spin_unlock(lock); local_bh_enable(); } while (0)

#define lockdep_assert_held(lock)	do {				\
	if (!host_is_locked(lock))					\
		abort();						\
} while (0)

/* --- counters, which only their own CPU changes ------------------------------ */

struct u64_stats_sync {
};

typedef struct {
	u64 v;
} u64_stats_t;

static inline void u64_stats_add(u64_stats_t *p, u64 n)
{
	__atomic_store_n(&p->v, p->v + n, __ATOMIC_RELAXED);
}

static inline u64 u64_stats_read(const u64_stats_t *p)
{
	return __atomic_load_n(&p->v, __ATOMIC_RELAXED);
}

#define u64_stats_update_begin(syncp)	((void)(syncp))
#define u64_stats_update_end(syncp)	((void)(syncp))
#define u64_stats_fetch_begin(syncp)	((void)(syncp), 0)
#define u64_stats_fetch_retry(syncp, start)	((void)(start), false)

/* --- what is only spoken of -------------------------------------------------- */

struct mutex { int unused; };
typedef struct { int unused; } seqlock_t;
struct rb_node { void *unused; };
struct rb_root { struct rb_node *unused; };
struct rb_root_cached { struct rb_root unused; };
struct rhash_head { void *unused; };
struct llist_node { void *unused; };
struct rcu_head { void *unused[2]; };
struct timerqueue_node { struct rb_node node; u64 expires; };
struct timerqueue_head { struct rb_root_cached unused; };
struct hrtimer { struct timerqueue_node unused; };
enum hrtimer_restart { HRTIMER_NORESTART, HRTIMER_RESTART };
struct nf_hook_state { int unused; };

#define CSS_ONLINE		2
/* Not its users: a limit only keeps who made it. */
typedef struct {
	unsigned int val;
} kuid_t;

struct cgroup {
	struct {
		unsigned int flags;
	} self;
};

/* Nobody traces here: leave all of trace.h out. */
#define REIN_TRACE_H
#define trace_admit(chain, cost, tokens, decision) do { } while (0)

#endif /* REIN_UNIT_HOST_H */
