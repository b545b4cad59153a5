/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Dumps: requests that are answered in parts, for as long as the reader takes.
 *
 * The functions that write the parts are generated: see netlink-gen.h.
 */
#ifndef REIN_NETLINK_DUMP_H
#define REIN_NETLINK_DUMP_H

struct netlink_callback;

int rein_dump_start(struct netlink_callback *cb);
int rein_dump_done(struct netlink_callback *cb);

#endif /* REIN_NETLINK_DUMP_H */
