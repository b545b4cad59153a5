/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REIN_COMPAT_LINUX_MM_H
#define REIN_COMPAT_LINUX_MM_H

#include_next <linux/mm.h>

#ifndef REIN_HAVE_VM_FLAGS_CLEAR
static inline void vm_flags_clear(struct vm_area_struct *vma,
				  unsigned long flags)
{
	vma->vm_flags &= ~flags;
}
#endif

#endif /* REIN_COMPAT_LINUX_MM_H */
