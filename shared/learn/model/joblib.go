package model

import (
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"

	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz/lzma"

	"recsys/shared/learn/model/pickle"
)

// joblib.dump writes a pickle in which an array is a NumpyArrayWrapper: its type and shape, and after that, in the middle of
// the pickle, the bytes themselves. An array of objects follows as a pickle of its own. The whole may be compressed.
// Spec: joblib/numpy_pickle.py and joblib/compressor.py.

const arrayWrapper = "joblib.numpy_pickle.NumpyArrayWrapper"

// compressions are those of joblib.dump, by the first bytes of a file.
var compressions = []struct {
	name, magic string
	open        func([]byte) (io.Reader, error)
}{
	{"gzip", "\x1f\x8b", func(b []byte) (io.Reader, error) { return gzip.NewReader(bytes.NewReader(b)) }},
	{"bzip2", "BZh", func(b []byte) (io.Reader, error) { return bzip2.NewReader(bytes.NewReader(b)), nil }},
	{"xz", "\xfd7zXZ\x00", openXZ},
	{"LZMA", "\x5d\x00\x00", openLZMA},
	{"LZ4", "\x04\x22\x4d\x18", func(b []byte) (io.Reader, error) { return lz4.NewReader(bytes.NewReader(b)), nil }},
	{"zlib", "\x78\x01", openZlib}, {"zlib", "\x78\x5e", openZlib}, {"zlib", "\x78\x9c", openZlib}, {"zlib", "\x78\xda", openZlib},
}

// decompressed returns the file's content, unpacked if it is compressed and not larger than the limit of a scaler.
func decompressed(file string, data []byte) ([]byte, error) {
	for _, c := range compressions {
		if !bytes.HasPrefix(data, []byte(c.magic)) || len(data) > MaxScalerBytes {
			continue
		}
		unpacking, err := c.open(data)
		if err != nil {
			return nil, invalid(file, "unpacking %s: %w", c.name, err)
		}
		content, err := io.ReadAll(io.LimitReader(unpacking, MaxScalerBytes+1))
		if err != nil {
			return nil, invalid(file, "unpacking %s: %w", c.name, err)
		}
		if len(content) > MaxScalerBytes {
			return nil, invalid(file, "the file unpacks to more than %d bytes", MaxScalerBytes)
		}
		return content, nil
	}
	return data, nil
}

func openZlib(data []byte) (io.Reader, error) { return zlib.NewReader(bytes.NewReader(data)) }

// maxDictionary bounds the memory of the LZMA decoders. A header may claim 4 GiB. The unpacked file is not larger
// than a scaler, so a smaller dictionary holds all of it.
const maxDictionary = MaxScalerBytes

// openLZMA reads the format of lzma.FORMAT_ALONE. Its header is the coder's properties, then the size of the dictionary in 4
// bytes, and that of the content.
func openLZMA(data []byte) (io.Reader, error) {
	if len(data) < lzma.HeaderLen {
		return nil, io.ErrUnexpectedEOF
	}
	header := bytes.Clone(data[:lzma.HeaderLen])
	if header[4] >= maxDictionary>>24 {
		copy(header[1:], []byte{0, 0, 0, maxDictionary >> 24})
	}
	return lzma.NewReader(io.MultiReader(bytes.NewReader(header), bytes.NewReader(data[lzma.HeaderLen:])))
}

var errXZ = errors.New("more in the header than Python's lzma module writes")

// openXZ reads the one block of LZMA2 that Python writes: 12 bytes of the stream's header, then the block's header,
// which starts with its own length. The library's own reader of the container takes any size of dictionary from the
// file.
func openXZ(data []byte) (io.Reader, error) {
	const streamHeader = 12
	if len(data) <= streamHeader {
		return nil, io.ErrUnexpectedEOF
	}
	block := data[streamHeader:]
	length := (int(block[0]) + 1) * 4
	if length > len(block) {
		return nil, io.ErrUnexpectedEOF
	}
	// No flags: one filter, and no sizes. The filter: LZMA2 (0x21) with one byte of properties.
	if length < 8 || block[1] != 0 || block[2] != 0x21 || block[3] != 1 {
		return nil, errXZ
	}
	return lzma.Reader2Config{DictCap: maxDictionary}.NewReader2(bytes.NewReader(block[length:]))
}

// inlineArray reads the content that follows a NumpyArrayWrapper.
func inlineArray(o *pickle.Object, content *pickle.Content) (any, error) {
	if o.Class.String() != arrayWrapper {
		return o, nil
	}
	attributes, ok := o.State.(*pickle.Dict)
	if !ok {
		return nil, errNoArray
	}
	shape, _ := attributes.Get("shape")
	dtype, _ := attributes.Get("dtype")
	var a array
	if err := a.setType(dtype); err != nil {
		return nil, err
	}
	if a.kind == 'O' {
		return content.Decode()
	}
	// Since joblib 1.2 the bytes are aligned: one byte says how many are skipped.
	if alignment, _ := attributes.Get("numpy_array_alignment_bytes"); alignment != nil {
		padding, err := content.Read(1)
		if err != nil {
			return nil, err
		}
		if _, err := content.Read(int(padding[0])); err != nil {
			return nil, err
		}
	}
	dimensions, ok := shape.(pickle.Tuple)
	if !ok {
		return nil, errNoArray
	}
	size := a.width
	for _, d := range dimensions {
		n, ok := d.(int64)
		if !ok || n < 0 || n > MaxScalerBytes || size > MaxScalerBytes {
			return nil, fmt.Errorf("an array of more than %d bytes", MaxScalerBytes)
		}
		size *= int(n)
	}
	b, err := content.Read(size)
	return &pickle.Object{Class: o.Class, Args: pickle.Tuple{shape, dtype, b}}, err
}
