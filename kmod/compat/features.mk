# SPDX-License-Identifier: GPL-2.0
#
# What the kernel at hand has. Not its version is asked for but its headers:
# distributions carry things back and forth. Each REIN_HAVE_* is used below
# compat/include and nowhere else: that gives every kernel the interface of the
# newest one.

# $(call rein-has,HEADER,NAME): -DREIN_HAVE_NAME if the header knows the name
rein-has = $(if $(shell grep -sw $(2) $(srctree)/include/$(1)),-DREIN_HAVE_$(shell echo $(2) | tr a-z A-Z))

# $(call rein-takes,HEADER,FUNCTION,WORD): -DREIN_TAKES_WORD if the function's
# prototype has the word among its arguments
rein-takes = $(if $(shell sed -n '/\<$(2)(/,/)/p' $(srctree)/include/$(1) | grep -w $(3)),-DREIN_TAKES_$(shell echo $(3) | tr a-z A-Z))

# $(call rein-exports,FUNCTION): -DREIN_HAVE_FUNCTION if modules may call it, which the headers
# don't say
rein-exports = $(if $(shell grep -sw $(1) $(objtree)/Module.symvers),-DREIN_HAVE_$(shell echo $(1) | tr a-z A-Z))

# Before the kernel's own headers, which those here include.
LINUXINCLUDE := -I$(src)/compat/include $(LINUXINCLUDE)

# 6.13
ccflags-y += $(call rein-has,linux/hrtimer.h,hrtimer_setup)
# 6.3
ccflags-y += $(call rein-has,linux/mm.h,vm_flags_clear)
# until 6.17
ccflags-y += $(call rein-takes,net/inet_hashtables.h,__inet_lookup_listener,hashinfo)
# until 7.1, or so; and since 6.2 each namespace has its own
ccflags-y += $(call rein-takes,net/udp.h,__udp4_lib_lookup,udp_table)
ccflags-y += $(call rein-has,net/netns/ipv4.h,udp_table)
# 6.12, or so
ccflags-y += $(call rein-exports,stack_trace_save_tsk)
