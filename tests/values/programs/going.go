// SPDX-License-Identifier: Apache-2.0
// going: strings, slices, maps, interfaces, channels, closures of Go.
package main

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"unsafe"
)

type point struct {
	x int32
	y float64
}

type named struct {
	point
	name string
	next *named
}

type speaker interface {
	speak() int
}

func (p point) speak() int { return int(p.x) }

type color uint8

var kept interface{}

// Dies of the trap itself: without the handler of Go's runtime.
func stop(place string) {
	if len(os.Args) < 2 || os.Args[1] != place {
		return
	}
	var action [4]uint64
	syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(syscall.SIGTRAP),
		uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0)
	runtime.Breakpoint()
}

//go:noinline
func scalars(a int8, b uint64, c bool, d rune, e float32, f complex128) uint64 {
	text := "text"
	empty := ""
	array := [4]uint16{1, 2, 3, 4}
	green := color(2)
	pointer := &array[1]
	bytes := [3]byte{'a', 'b', 0}
	stop("1")
	kept = []interface{}{text, empty, array, green, pointer, bytes}
	return uint64(a) + b + uint64(d) + uint64(e) + uint64(real(f))
}

//go:noinline
func heaps(slice []int, m map[string]int, s speaker, f func(int) int) int {
	var none []string
	strings := []string{"one", "two"}
	points := []point{{1, 2.5}, {3, 4.5}}
	n := &named{point{5, 6.5}, "named", nil}
	n.next = n
	channel := make(chan int, 2)
	channel <- 1
	var any interface{} = 7
	var err error = fmt.Errorf("wrong")
	part := slice[1:2]
	stop("2")
	kept = []interface{}{none, strings, points, n, channel, any, err, part}
	return len(slice) + len(m) + s.speak() + f(1)
}

func main() {
	captured := 3
	scalars(-5, 1<<40, true, 'x', 1.5, complex(1, 2))
	heaps([]int{1, 2, 3}, map[string]int{"a": 1}, point{7, 8},
		func(n int) int { return n + captured })
	fmt.Sprint(kept)
}
