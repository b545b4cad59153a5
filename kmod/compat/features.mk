# SPDX-License-Identifier: GPL-2.0
#
# What the kernel at hand has. Not its version is asked for but its headers:
# distributions carry things back and forth. Each REIN_HAVE_* is used below
# compat/include and nowhere else: that gives every kernel the interface of the
# newest one.

# $(call rein-has,HEADER,NAME): -DREIN_HAVE_NAME if the header knows the name
rein-has = $(if $(shell grep -sw $(2) $(srctree)/include/$(1)),-DREIN_HAVE_$(shell echo $(2) | tr a-z A-Z))

# Before the kernel's own headers, which those here include.
LINUXINCLUDE := -I$(src)/compat/include $(LINUXINCLUDE)

# 6.13
ccflags-y += $(call rein-has,linux/hrtimer.h,hrtimer_setup)
