//go:build !purego

package dense

import "golang.org/x/sys/cpu"

var (
	vectorised = cpu.X86.HasAVX2 && cpu.X86.HasFMA
	widest     = vectorised && cpu.X86.HasAVX512F // for largeVector
)

//go:noescape
func largeVector(dst *float32, dstStride int, a *float32, aStride int, panels *float32, panelStride int, n int)
