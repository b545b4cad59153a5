/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Known flows: those that a limit on connect has let go lately.
 *
 * A flow is a socket and the address and port it sends to; for TCP also the
 * initial sequence number, so that every connect(2) is a flow of its own and
 * a SYN that is sent again isn't. A flow that isn't known is charged.
 *
 * They are remembered in fixed memory, made when the first limit on connect
 * is: of the seven flows in a set the one that was seen least lately makes
 * room for another. So nobody can grow kernel memory by sending; who is
 * forgotten pays once more, and nobody ever pays less.
 *
 * Context: any but hard interrupts. Locking: that of one set, innermost, _bh.
 */
#ifndef REIN_KNOWN_H
#define REIN_KNOWN_H

#include <linux/types.h>

struct sk_buff;
struct sock;

enum rein_known {
	REIN_UNKNOWN,
	REIN_KNOWN_WAITS,
	REIN_KNOWN_GOES,
};

u64 rein_known_tag(struct sock *sk, const struct sk_buff *skb, u8 pf);
enum rein_known rein_known_look(u64 tag);
void rein_known_set(u64 tag, enum rein_known state);
void rein_known_forget(u64 tag);

int rein_known_open(void);
void rein_known_exit(void);

#endif /* REIN_KNOWN_H */
