//go:build !purego

package dense

var vectorised = true // every arm64 has NEON
