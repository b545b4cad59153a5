/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REIN_VERSION_H
#define REIN_VERSION_H

/* Of the module and of the command, which are released together. */
#define REIN_VERSION	"0.1.0"

#endif /* REIN_VERSION_H */
