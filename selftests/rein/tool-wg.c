// SPDX-License-Identifier: GPL-2.0
/*
 * As much of wg(8) as a tunnel takes:
 *
 *	tool-wg key DEVICE PORT			give it a key, print the public one
 *	tool-wg peer DEVICE KEY ADDRESS PORT	whose key that is; all addresses are his
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/random.h>

#include "genl.h"
#include <linux/wireguard.h>

static int fd;

static _Noreturn void die(const char *what, int error)
{
	fprintf(stderr, "tool-wg: %s: %s\n", what, strerror(error));
	exit(2);
}

static void begin(struct genl_msg *msg, int cmd, int flags, const char *device)
{
	static uint16_t family;
	struct genl_answer answer;

	if (!family) {
		genl_begin_type(msg, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);
		genl_put_string(msg, CTRL_ATTR_FAMILY_NAME, WG_GENL_NAME);
		if (genl_ask(fd, msg, &answer, genl_take_family, &family) || answer.err)
			die("no WireGuard", answer.err);
	}
	genl_begin_type(msg, family, cmd, flags);
	genl_put_string(msg, WGDEVICE_A_IFNAME, device);
}

static void ask(struct genl_msg *msg, genl_reply_fn reply)
{
	struct genl_answer answer;
	int err = genl_ask(fd, msg, &answer, reply, NULL);

	if (err || answer.err)
		die("refused", err ? -err : answer.err);
}

static void print_key(const struct genlmsghdr *ghdr, size_t len, void *arg)
{
	const struct nlattr *attr = genl_find(genl_first(ghdr), (const char *)ghdr + len,
					      WGDEVICE_A_PUBLIC_KEY);
	const unsigned char *key = attr ? genl_data(attr) : NULL;
	int i;

	(void)arg;
	for (i = 0; key && i < WG_KEY_LEN; i++)
		printf("%02x", key[i]);
	puts("");
}

static void set_key(const char *device, int port)
{
	unsigned char key[WG_KEY_LEN];
	uint16_t port16 = port;
	struct genl_msg msg;

	if (getrandom(key, sizeof(key), 0) != sizeof(key))
		die("getrandom", errno);
	begin(&msg, WG_CMD_SET_DEVICE, 0, device);
	genl_put(&msg, WGDEVICE_A_PRIVATE_KEY, key, sizeof(key));
	genl_put(&msg, WGDEVICE_A_LISTEN_PORT, &port16, sizeof(port16));
	ask(&msg, NULL);
	begin(&msg, WG_CMD_GET_DEVICE, NLM_F_DUMP, device);
	ask(&msg, print_key);
}

static void set_peer(const char *device, const char *text, const char *address, int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct nlattr *peers, *peer, *all, *one;
	unsigned char key[WG_KEY_LEN];
	uint16_t family = AF_INET;
	struct in_addr any = { 0 };
	struct genl_msg msg;
	uint8_t bits = 0;
	int i;

	for (i = 0; i < WG_KEY_LEN; i++)
		if (sscanf(text + 2 * i, "%2hhx", &key[i]) != 1)
			die(text, EINVAL);
	at.sin_addr.s_addr = inet_addr(address);
	begin(&msg, WG_CMD_SET_DEVICE, 0, device);
	peers = genl_nest(&msg, WGDEVICE_A_PEERS);
	peer = genl_nest(&msg, 0);
	genl_put(&msg, WGPEER_A_PUBLIC_KEY, key, sizeof(key));
	genl_put(&msg, WGPEER_A_ENDPOINT, &at, sizeof(at));
	all = genl_nest(&msg, WGPEER_A_ALLOWEDIPS);
	one = genl_nest(&msg, 0);
	genl_put(&msg, WGALLOWEDIP_A_FAMILY, &family, sizeof(family));
	genl_put(&msg, WGALLOWEDIP_A_IPADDR, &any, sizeof(any));
	genl_put(&msg, WGALLOWEDIP_A_CIDR_MASK, &bits, sizeof(bits));
	genl_nest_end(&msg, one);
	genl_nest_end(&msg, all);
	genl_nest_end(&msg, peer);
	genl_nest_end(&msg, peers);
	ask(&msg, NULL);
}

int main(int argc, char **argv)
{
	fd = genl_socket();
	if (argc == 4 && !strcmp(argv[1], "key")) {
		set_key(argv[2], atoi(argv[3]));
		return 0;
	}
	if (argc == 6 && strlen(argv[3]) == 2 * WG_KEY_LEN) {
		set_peer(argv[2], argv[3], argv[4], atoi(argv[5]));
		return 0;
	}
	fputs("tool-wg: see the top of its source\n", stderr);
	return 2;
}
