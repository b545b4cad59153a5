// SPDX-License-Identifier: GPL-2.0
/*
 * A virtual service of IPVS with one server, as ipvsadm(8) would make it:
 *
 *	tool-ipvs ADDRESS PORT SERVER PORT	of UDP, masqueraded
 *
 * Exit status 4: there is no IPVS here.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/ip_vs.h>

int main(int argc, char **argv)
{
	struct {
		struct ip_vs_service_user service;
		struct ip_vs_dest_user server;
	} all = { 0 };
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);

	if (argc != 5 || fd < 0) {
		fputs("tool-ipvs: see the top of its source\n", stderr);
		return 2;
	}
	all.service.protocol = IPPROTO_UDP;
	all.service.addr = inet_addr(argv[1]);
	all.service.port = htons(atoi(argv[2]));
	all.service.netmask = 0xffffffff;
	strcpy(all.service.sched_name, "rr");
	all.server.addr = inet_addr(argv[3]);
	all.server.port = htons(atoi(argv[4]));
	all.server.conn_flags = IP_VS_CONN_F_MASQ;
	all.server.weight = 1;
	if (!setsockopt(fd, IPPROTO_IP, IP_VS_SO_SET_ADD, &all, sizeof(all.service)) &&
	    !setsockopt(fd, IPPROTO_IP, IP_VS_SO_SET_ADDDEST, &all, sizeof(all)))
		return 0;
	perror("tool-ipvs");
	return errno == ENOPROTOOPT ? 4 : 2;
}
