package model

import (
	"bytes"
	"strings"

	"recsys/shared/contract/lake"
	"recsys/shared/learn/model/pickle"
)

const (
	adviceModel  = `save the weights alone: torch.save(model.state_dict(), "best_model.pth")`
	adviceScaler = `save the fitted scikit-learn object alone: joblib.dump(scaler, name) or pickle.dump(scaler, open(name, "wb"))`
)

// foreign lists the first bytes of formats that people hand over by mistake.
var foreign = []struct{ magic, name string }{
	{"\x93NUMPY", "a NumPy .npy array"},
	{"\x89HDF\r\n", "an HDF5 file"},
	{"\x1f\x8b", "gzip-compressed data"},
	{"\x78\x01", "zlib-compressed data"},
	{"\x78\x5e", "zlib-compressed data"},
	{"\x78\x9c", "zlib-compressed data"},
	{"\x78\xda", "zlib-compressed data"},
	{"BZh", "bzip2-compressed data"},
	{"\xfd7zXZ", "xz-compressed data"},
	{"\x5d\x00\x00", "LZMA-compressed data"},
	{"\x04\x22\x4d\x18", "LZ4-compressed data"},
	{"version https://git-lfs", "a Git LFS pointer, not the file itself"},
	{"PAR1", "a Parquet file"},
	{"{", "JSON"},
	{"<", "HTML or XML (an error page saved as a file?)"},
}

// sniff refuses a file that is empty, too long, or recognisably of another format.
func sniff(file string, data []byte, limit int, advice string) error {
	if len(data) == 0 {
		return invalid(file, "the file is empty; %s", advice)
	}
	if len(data) > limit {
		return invalid(file, "the file has %d bytes, more than %d", len(data), limit)
	}
	text := bytes.TrimLeft(data[:min(len(data), 64)], " \t\r\n\ufeff")
	for _, f := range foreign {
		if bytes.HasPrefix(data, []byte(f.magic)) || f.magic[0] < 0x7f && bytes.HasPrefix(text, []byte(f.magic)) {
			return &Unsupported{file, f.name, advice}
		}
	}
	switch isSafetensors := len(data) > 9 && data[8] == '{' && data[7] == 0; {
	case isSafetensors && file == lake.SafetensorsKey:
		return invalid(file, "a safetensors file that is cut off, or with a header of more than %d bytes; copy it again, or %s", maxHeader, advice)
	case isSafetensors:
		return &Unsupported{file, "a safetensors file", advice + ", or name the file " + lake.SafetensorsKey}
	}
	return nil
}

// numpyClasses are the classes in pickles of NumPy's arrays and scalars, before and since NumPy 2's move to _core.
// Nothing here is called: the unpickler only notes the calls.
var numpyClasses = []string{
	"numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct",
	"numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar",
	"numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer",
	"numpy.ndarray", "numpy.dtype", "_codecs.encode",
	"numpy.float64", "numpy.float32", "numpy.int64", "numpy.int32", "numpy.str_", "numpy.object_", "numpy.bool_",
	"builtins.bytes", "builtins.bytearray", "builtins.int", "builtins.float", "builtins.bool", "builtins.str",
	"__builtin__.bytes", "__builtin__.bytearray", "__builtin__.int", "__builtin__.long", "__builtin__.float",
	"__builtin__.bool", "__builtin__.str", "__builtin__.unicode",
}

// allowing answers for the classes with these full names.
func allowing(lists ...[]string) func(pickle.Class) bool {
	names := map[string]bool{}
	for _, list := range lists {
		for _, name := range list {
			names[name] = true
		}
	}
	return func(c pickle.Class) bool {
		// A dot in either part could spell one full name in two ways.
		return !strings.Contains(c.Name, ".") && names[c.String()]
	}
}
