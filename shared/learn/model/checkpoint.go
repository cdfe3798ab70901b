package model

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
	"path"
	"strings"

	"recsys/shared/contract/lake"
	"recsys/shared/learn/model/pickle"
)

// torchClasses are the classes in the pickle of a state dict, and of a checkpoint around one.
var torchClasses = []string{
	"collections.OrderedDict", "__builtin__.set", "builtins.set",
	"torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter",
	"torch.FloatStorage", "torch.DoubleStorage", "torch.HalfStorage", "torch.BFloat16Storage",
	"torch.LongStorage", "torch.IntStorage", "torch.ShortStorage", "torch.CharStorage", "torch.ByteStorage",
	"torch.BoolStorage", "torch.Size", "torch.device",
	"torch.float32", "torch.float64", "torch.float16", "torch.bfloat16", "torch.int64", "torch.int32",
	// Lightning keeps a model's settings next to its weights.
	"argparse.Namespace", "lightning_fabric.utilities.data.AttributeDict", "lightning.fabric.utilities.data.AttributeDict",
	"pytorch_lightning.utilities.parsing.AttributeDict", "lightning.pytorch.utilities.parsing.AttributeDict",
}

// checkpoint is a file of torch.save: an object, and the storages in which its tensors lie.
type checkpoint struct {
	root    any
	order   binary.ByteOrder
	storage func(key string) ([]byte, error) // the storage's raw bytes
	// unordered: the names are sorted, and do not come in the order in which the model registered its layers.
	unordered bool
}

// openCheckpoint tells the two formats apart: a zip archive since PyTorch 1.6, a row of pickles before.
func openCheckpoint(data []byte) (*checkpoint, error) {
	if err := sniff(lake.ModelKey, data, MaxModelBytes, adviceModel); err != nil {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return openZip(data)
	case data[0] == 0x80:
		return openLegacy(data)
	}
	return nil, &Unsupported{lake.ModelKey, "no format of torch.save", adviceModel}
}

func decodeTorch(data []byte) (root any, rest []byte, err error) {
	limits := pickle.Limits{Bytes: MaxModelBytes}
	if root, rest, err = pickle.Decode(data, limits, allowing(numpyClasses, torchClasses)); err != nil {
		return nil, nil, explain(lake.ModelKey, adviceModel, err)
	}
	return root, rest, nil
}

// openZip reads NAME/data.pkl, NAME/byteorder (PyTorch 2.1 on) and, when asked for, NAME/data/KEY.
func openZip(data []byte) (*checkpoint, error) {
	if bytes.Count(data, []byte("PK\x01\x02")) > maxEntries {
		return nil, invalid(lake.ModelKey, "the zip archive has more than %d entries", maxEntries)
	}
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, invalid(lake.ModelKey, "the zip archive is damaged or cut off: %w", err)
	}
	files := map[string]*zip.File{}
	for _, f := range archive.File {
		_, inner, _ := strings.Cut(path.Clean(f.Name), "/")
		if inner == "constants.pkl" || strings.HasPrefix(inner, "code/") {
			return nil, &Unsupported{lake.ModelKey, "a TorchScript archive", adviceModel}
		}
		if strings.HasSuffix(f.Name, ".npy") {
			return nil, &Unsupported{lake.ModelKey, "a NumPy .npz archive", adviceModel}
		}
		files[inner] = f
	}
	if files["data.pkl"] == nil {
		return nil, &Unsupported{lake.ModelKey, "a zip archive without data.pkl", adviceModel}
	}
	budget := int64(MaxModelBytes) // of unpacked bytes, over all entries
	read := func(name string) ([]byte, error) {
		b, err := readEntry(files[name], budget)
		budget -= int64(len(b))
		return b, err
	}
	c := &checkpoint{order: binary.LittleEndian}
	if files["byteorder"] != nil {
		order, err := read("byteorder")
		if err != nil {
			return nil, invalid(lake.ModelKey, "reading the byte order: %w", err)
		}
		if string(order) == "big" {
			c.order = binary.BigEndian
		}
	}
	pkl, err := read("data.pkl")
	if err != nil {
		return nil, invalid(lake.ModelKey, "reading data.pkl: %w", err)
	}
	cache := map[string][]byte{} // tensors may share a storage
	c.storage = func(key string) ([]byte, error) {
		if b, ok := cache[key]; ok {
			return b, nil
		}
		b, err := read("data/" + key)
		cache[key] = b
		return b, err
	}
	c.root, _, err = decodeTorch(pkl)
	return c, err
}

func readEntry(f *zip.File, limit int64) ([]byte, error) {
	if f == nil {
		return nil, errors.New("the archive has no such entry")
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("the archive unpacks to more than %d bytes", MaxModelBytes)
	}
	return b, nil
}

// torchMagic is MAGIC_NUMBER of torch/serialization.py.
var torchMagic, _ = new(big.Int).SetString("1950a86a20f9469cfc6c", 16)

// openLegacy reads five pickles (magic number, version, machine, object, storage keys) and then, for each
// key in that order, the number of elements in 8 bytes and the elements.
func openLegacy(data []byte) (*checkpoint, error) {
	var head [3]any
	rest := data
	for i := range head {
		var err error
		if head[i], rest, err = decodeTorch(rest); err != nil {
			return nil, err
		}
		if magic, ok := head[0].(*big.Int); !ok || magic.Cmp(torchMagic) != 0 {
			return nil, &Unsupported{lake.ModelKey, "a plain pickle, not a file of torch.save", adviceModel}
		}
	}
	c := &checkpoint{order: binary.LittleEndian}
	if machine, ok := head[2].(*pickle.Dict); ok {
		if little, _ := machine.Get("little_endian"); little == false {
			c.order = binary.BigEndian
		}
	}
	var err error
	if c.root, rest, err = decodeTorch(rest); err != nil {
		return nil, err
	}
	keys, rest, err := decodeTorch(rest)
	if err != nil {
		return nil, err
	}
	list, ok := keys.(*pickle.List)
	if !ok {
		return nil, invalid(lake.ModelKey, "the list of storages is missing")
	}
	storages, err := legacyStorages(list.Items, rest, c)
	if err != nil {
		return nil, &Invalid{lake.ModelKey, err}
	}
	c.storage = func(key string) ([]byte, error) {
		b, ok := storages[key]
		if !ok {
			return nil, errors.New("the file has no such storage")
		}
		return b, nil
	}
	return c, nil
}

// legacyStorages cuts the rest of the file into storages. Their sizes in bytes follow from the types that
// the object's persistent ids give.
func legacyStorages(keys []any, data []byte, c *checkpoint) (map[string][]byte, error) {
	storages, widths := map[string][]byte{}, storageWidths(c.root)
	for _, k := range keys {
		key, _ := k.(string)
		if len(data) < 8 {
			return nil, errors.New("the file ends early")
		}
		elements, width := c.order.Uint64(data), widths[key]
		data = data[8:]
		if width == 0 || elements > uint64(len(data)/width) {
			return nil, errors.New("the file ends early, or a storage is of an unknown type")
		}
		n := int(elements) * width
		storages[key], data = data[:n:n], data[n:]
	}
	return storages, nil
}

// storageWidths walks the object, each of its parts once, and collects the bytes per element of its storages.
func storageWidths(root any) map[string]int {
	widths, seen, queue := map[string]int{}, map[any]bool{}, []any{root}
	for len(queue) > 0 {
		v := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		switch v := v.(type) {
		case *pickle.List:
			if !seen[v] {
				seen[v], queue = true, append(queue, v.Items...)
			}
		case *pickle.Dict:
			if !seen[v] {
				seen[v] = true
				for _, item := range v.Items {
					queue = append(queue, item.Value)
				}
			}
		case *pickle.Object:
			if !seen[v] {
				seen[v], queue = true, append(queue, &v.Dict, v.State, v.Args)
			}
		case pickle.Tuple:
			if len(v) > 0 && !seen[&v[0]] {
				seen[&v[0]], queue = true, append(queue, v...)
			}
		case pickle.Persistent:
			if id, err := storageOf(v); err == nil {
				widths[id.key] = elementWidth[id.class]
			}
		}
	}
	return widths
}
