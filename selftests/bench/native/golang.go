// SPDX-License-Identifier: GPL-2.0

// The limiter of golang.org/x/time/rate, and Go's clock, for main.c to measure.
//
// Arguments are the CPUs to use, one or two. It says its version, and then for each
// line "SUBJECT SITUATION TIMES" how many ns that took all threads together, and how
// many takes were admitted. Limits are made when they are first asked for.
//
// A chain is one Allow() after the other: it has no way to ask several and charge none
// if one of them refuses.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/time/rate"
)

// As in native.h.
const (
	perSecond = 500000000
	burst     = 1000
	chain     = 4
	maxTries  = 100
)

type job struct {
	limits  []*rate.Limiter // none: read the clock
	times   int
	threads int32
}

type result struct {
	start, end int64
	admitted   int
}

var (
	arrived int32
	jobs    []chan job
	results = make(chan result)
	made    = map[string][][]*rate.Limiter{}
	sink    time.Time
	epoch   = time.Now()
)

// Only for threads that have a CPU each.
func meet(threads int32) {
	atomic.AddInt32(&arrived, 1)
	for atomic.LoadInt32(&arrived) < threads {
	}
}

func take(limits []*rate.Limiter, times int) int {
	admitted := 0
	for i := 0; i < times; i++ {
		ok := true
		for _, limit := range limits {
			ok = limit.Allow() && ok
		}
		if ok {
			admitted++
		}
	}
	return admitted
}

func readClock(times int) int {
	for i := 0; i < times; i++ {
		sink = time.Now()
	}
	return times
}

func run(j job, times int) int {
	if j.limits == nil {
		return readClock(times)
	}
	return take(j.limits, times)
}

func worker(cpu int, work chan job) {
	var set [128]byte

	runtime.LockOSThread()
	set[cpu/8] = 1 << (cpu % 8)
	syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 0, uintptr(len(set)),
		uintptr(unsafe.Pointer(&set)))
	for j := range work {
		meet(j.threads)
		run(j, 1+j.times/8)
		meet(2 * j.threads)
		start := time.Since(epoch)
		admitted := run(j, j.times)
		results <- result{int64(start), int64(time.Since(epoch)), admitted}
	}
}

func limiter(refuses bool) *rate.Limiter {
	if refuses {
		limit := rate.NewLimiter(rate.Every(24*time.Hour), 1)
		limit.Allow()
		return limit
	}
	return rate.NewLimiter(perSecond, burst)
}

// What each thread takes from.
func limitsOf(situation string) [][]*rate.Limiter {
	var all [2][]*rate.Limiter

	n := 1
	if situation == "chain" || situation == "chains" {
		n = chain
	}
	for t := range all {
		for i := 0; i < n; i++ {
			limit := limiter(situation == "refused")
			if t > 0 && (situation == "shared" || (situation == "chains" && i > 0)) {
				limit = all[0][i]
			}
			all[t] = append(all[t], limit)
		}
	}
	switch situation {
	case "shared", "apart", "chains":
		return all[:]
	}
	return all[:1]
}

func least(a, b int64) int64 {
	if a < b {
		return a
	}
	return b
}

// As met() in main.c.
func met(r []result) bool {
	if len(r) == 1 {
		return true
	}
	all := -least(-r[0].end, -r[1].end) - least(r[0].start, r[1].start)
	both := least(r[0].end, r[1].end) + least(-r[0].start, -r[1].start)
	return both*4 > all*3
}

func runThreads(sets [][]*rate.Limiter, times int) []result {
	var all []result

	atomic.StoreInt32(&arrived, 0)
	for t, limits := range sets {
		jobs[t] <- job{limits, times, int32(len(sets))}
	}
	for range sets {
		all = append(all, <-results)
	}
	return all
}

func do(subject, situation string, times int) (ns int64, admitted int) {
	sets := [][]*rate.Limiter{nil}
	if subject == "go" {
		if made[situation] == nil {
			made[situation] = limitsOf(situation)
		}
		sets = made[situation]
	}
	all := runThreads(sets, times)
	for tries := 1; tries < maxTries && !met(all); tries++ {
		all = runThreads(sets, times)
	}
	for _, r := range all {
		ns += r.end - r.start
		admitted += r.admitted
	}
	return ns, admitted
}

func main() {
	var subject, situation string
	var times int

	// Nothing is allocated in a round.
	debug.SetGCPercent(-1)
	runtime.GOMAXPROCS(3)
	for _, arg := range os.Args[1:] {
		cpu, err := strconv.Atoi(arg)
		if err != nil {
			fmt.Fprintln(os.Stderr, "not a CPU:", arg)
			os.Exit(2)
		}
		work := make(chan job)
		jobs = append(jobs, work)
		go worker(cpu, work)
	}
	fmt.Println(runtime.Version())
	in := bufio.NewReader(os.Stdin)
	for {
		if _, err := fmt.Fscanln(in, &subject, &situation, &times); err != nil {
			return
		}
		fmt.Println(do(subject, situation, times))
	}
}
