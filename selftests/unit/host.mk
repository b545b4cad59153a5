# SPDX-License-Identifier: GPL-2.0
# For whoever compiles on the host what in kmod/ is not pure: include this after OUT is
# set, compile with $(HOST_CPPFLAGS) after $(OUT)/host is made, link with host.c.

HOST_DIR	:= $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
HOST_TOP	:= $(HOST_DIR)/../..
HOST_LINUX	:= $(HOST_TOP)/build/linux/tools/include
HOST_CPPFLAGS	:= -D_GNU_SOURCE -I$(HOST_TOP)/kmod -I$(HOST_TOP)/kmod/include/uapi \
		   -I$(OUT)/host -I$(HOST_DIR)/include -isystem $(HOST_LINUX)

# All that these would declare, as far as it is needed, is in include/host.h.
HOST_HEADERS	:= cgroup hrtimer jiffies ktime llist lockdep log2 mutex netfilter netlink percpu \
		   rbtree rhashtable-types seqlock spinlock timerqueue \
		   u64_stats_sync uidgid

$(OUT)/host: $(HOST_DIR)/host.mk
	@rm -rf $@ && mkdir -p $@/linux $@/trace
	@echo '#include <host.h>' >$@/trace/define_trace.h
	@for h in $(HOST_HEADERS); do echo '#include <host.h>' >$@/linux/$$h.h; done
