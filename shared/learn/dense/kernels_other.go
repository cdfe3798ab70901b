//go:build purego || (!amd64 && !arm64)

package dense

var vectorised, widest = false, false

func tileVector(*float32, int, *float32, int, *float32, int, int, float32)    { panic("no vectors") }
func rowVector(*float32, *float32, *float32, int, int)                        { panic("no vectors") }
func combineVector(*float32, int, *float32, int, *float32, int, int, float32) { panic("no vectors") }
func gatherVector(*float32, *float32, int, *int32, *float32, int)             { panic("no vectors") }
func largeVector(*float32, int, *float32, int, *float32, int, int)            { panic("no vectors") }
