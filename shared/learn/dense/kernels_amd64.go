//go:build !purego

package dense

import "golang.org/x/sys/cpu"

var vectorised = cpu.X86.HasAVX2 && cpu.X86.HasFMA
