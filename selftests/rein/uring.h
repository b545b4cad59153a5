/* SPDX-License-Identifier: GPL-2.0 */
/*
 * As much of io_uring as it takes to have one request done after the other, by the bare
 * system calls: liburing isn't asked for.
 */
#ifndef REIN_SELFTESTS_URING_H
#define REIN_SELFTESTS_URING_H

#include <errno.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct uring {
	struct io_uring_params params;
	struct io_uring_sqe *sqe;
	unsigned int *sq_tail, *sq_array, *sq_flags;
	unsigned int *cq_head, *cq_tail;
	struct io_uring_cqe *cqe;
	int fd;
};

/* @flags: IORING_SETUP_SQPOLL, or 0. Returns false, with errno, if there is none. */
static inline bool uring_open(struct uring *ring, unsigned int flags)
{
	struct io_uring_params *p = &ring->params;
	char *sq;

	memset(ring, 0, sizeof(*ring));
	p->flags = flags;
	p->sq_thread_idle = 1000;
	ring->fd = syscall(SYS_io_uring_setup, 1, p);
	if (ring->fd < 0)
		return false;
	sq = mmap(NULL, p->cq_off.cqes + p->cq_entries * sizeof(*ring->cqe),
		  PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQ_RING);
	ring->sqe = mmap(NULL, sizeof(*ring->sqe), PROT_READ | PROT_WRITE,
			 MAP_SHARED, ring->fd, IORING_OFF_SQES);
	if (sq == MAP_FAILED || ring->sqe == MAP_FAILED)
		return false;
	ring->sq_tail = (void *)(sq + p->sq_off.tail);
	ring->sq_array = (void *)(sq + p->sq_off.array);
	ring->sq_flags = (void *)(sq + p->sq_off.flags);
	ring->cq_head = (void *)(sq + p->cq_off.head);
	ring->cq_tail = (void *)(sq + p->cq_off.tail);
	ring->cqe = (void *)(sq + p->cq_off.cqes);
	return true;
}

/* The result of the next completion: what the call would return, or -errno. */
static inline int uring_wait(struct uring *ring, unsigned int *flags)
{
	unsigned int head = *ring->cq_head, at = head & (ring->params.cq_entries - 1);
	int result;

	while (head == __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE)) {
		if (syscall(SYS_io_uring_enter, ring->fd, 0, 1, IORING_ENTER_GETEVENTS,
			    NULL, 0) < 0 && errno != EINTR)
			return -errno;
	}
	result = ring->cqe[at].res;
	*flags = ring->cqe[at].flags;
	__atomic_store_n(ring->cq_head, head + 1, __ATOMIC_RELEASE);
	return result;
}

/* Have @sqe done. Returns what the call it stands for would, or -errno. */
static inline int uring_do(struct uring *ring, const struct io_uring_sqe *sqe)
{
	unsigned int tail = *ring->sq_tail, enter = 0, flags = 0;
	int result;

	*ring->sqe = *sqe;
	ring->sq_array[tail & (ring->params.sq_entries - 1)] = 0;
	__atomic_store_n(ring->sq_tail, tail + 1, __ATOMIC_SEQ_CST);
	if (ring->params.flags & IORING_SETUP_SQPOLL) {
		if (__atomic_load_n(ring->sq_flags, __ATOMIC_SEQ_CST) & IORING_SQ_NEED_WAKEUP)
			enter = IORING_ENTER_SQ_WAKEUP;
		if (enter && syscall(SYS_io_uring_enter, ring->fd, 0, 0, enter, NULL, 0) < 0)
			return -errno;
	} else if (syscall(SYS_io_uring_enter, ring->fd, 1, 0, 0, NULL, 0) < 0) {
		return -errno;
	}
	result = uring_wait(ring, &flags);
	/* Of what isn't copied there is another one when the pages are free. */
	if (flags & IORING_CQE_F_MORE)
		uring_wait(ring, &flags);
	return result;
}

static inline int uring_send(struct uring *ring, int opcode, int fd, const void *buf, int len)
{
	struct io_uring_sqe sqe = {
		.opcode = opcode,
		.fd = fd,
		.addr = (unsigned long)buf,
		.len = len,
		.msg_flags = MSG_NOSIGNAL,
	};

	return uring_do(ring, &sqe);
}

#endif /* REIN_SELFTESTS_URING_H */
