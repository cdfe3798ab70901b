package model

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"recsys/shared/contract/lake"
)

// Cut anywhere, a file must give an error: a shortened model must not pass for a whole one.
func TestTruncatedFilesAreRefused(t *testing.T) {
	files := fixtures(t)
	for _, name := range []string{"bare.pth", "checkpoint_legacy.pth", "shared_storage_legacy.pth", "ohe_protocol2.pkl", "std_protocol5.pkl",
		"joblib_plain_ohe.pkl", "joblib_zlib_ohe.pkl", "joblib_texts_ohe.pkl", "joblib_plain_std.pkl", "two_towers.safetensors"} {
		whole := files[name]
		place := strings.Replace(name, "ohe_protocol2", "x_ohe", 1)
		for n := range whole {
			in, _ := inPlaceOf(files, place, whole[:n])
			if _, err := Read(in); err == nil {
				t.Fatalf("%s cut to %d of %d bytes was read", name, n, len(whole))
			}
		}
		in, _ := inPlaceOf(files, place, whole)
		if _, err := Read(in); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
}

// Flipped bytes may change weights, but must neither panic nor give numbers that are not finite.
func TestFlippedBytesNeverPanic(t *testing.T) {
	files := fixtures(t)
	for _, name := range []string{"bare.pth", "bare_legacy.pth", "checkpoint.pth", "x_ohe.pkl", "x.pkl"} {
		whole := files[strings.NewReplacer("x_ohe", "ohe_protocol4", "x.", "std_protocol5.").Replace(name)]
		for i := range whole {
			damaged := bytes.Clone(whole)
			damaged[i] ^= []byte{0x01, 0x80, 0xff}[i%3]
			in, _ := inPlaceOf(files, name, damaged)
			checkReadable(t, in)
		}
	}
}

// checkReadable asks an accepted model for vectors: each is a unit vector, or reported as missing.
func checkReadable(t *testing.T, in Files) {
	m, err := Read(in)
	if err != nil {
		return
	}
	v, err := m.UserEmbedding(userOf("nantes", "france", 21000))
	if errors.Is(err, ErrNoDirection) {
		return
	}
	var squares float64
	for _, x := range v {
		squares += float64(x) * float64(x)
	}
	if err != nil || math.Abs(squares-1) > 1e-4 {
		t.Errorf("embedding of squared length %g, error %v", squares, err)
	}
}

// zipped is a model file with this data.pkl. Its storages are those of a good one.
func zipped(t testing.TB, good, pkl []byte) []byte {
	t.Helper()
	source, err := zip.NewReader(bytes.NewReader(good), int64(len(good)))
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	target := zip.NewWriter(&file)
	for _, entry := range source.File {
		content, err := readEntry(entry, MaxModelBytes)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(entry.Name, "/data.pkl") {
			content = pkl
		}
		w, err := target.Create(entry.Name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := target.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// Values that share each other, or hold themselves, must not be walked over and over: each of these would take
// hours (or the whole stack) if they were.
func TestSharedAndCyclicValuesEndInAnError(t *testing.T) {
	good := goodFiles(fixtures(t))
	const tensor = "ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x01tQK\x00K\x01K\x01\x86K\x01K\x01\x86\x89NtR"
	many := func(s string) string { return strings.Repeat(s, 100_000) }
	for name, pkl := range map[string]string{
		"a dict of one dict, many times": "}q\x00(" + many("NN") + "u0}(" + many("Nh\x00") + "u.",
		"a dict that holds itself":       "}q\x00(" + many("Nh\x00") + "u.",
		"many keys for one tensor":       tensor + "q\x000X\x08\x00\x00\x00a.weightq\x010}(" + many("h\x01h\x00") + "u.",
		"many tensors in many dicts":     tensor + "q\x000X\x08\x00\x00\x00a.weightq\x010}(" + many("h\x01}h\x01h\x00s") + "u.",
		"a tuple of one tuple, deep":     ")" + many("q\x000h\x00h\x00\x86") + ".",
		"a list in a list, deep":         "]" + many("q\x000]h\x00ah\x00a") + ".",
	} {
		good.Model = zipped(t, goodFiles(fixtures(t)).Model, []byte("\x80\x02"+pkl))
		_, err := Read(good)
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		t.Logf("%s: %v", name, err)
	}
}

func TestAnArchiveThatUnpacksBeyondTheLimitIsRefused(t *testing.T) {
	good := goodFiles(fixtures(t))
	bomb := zipped(t, good.Model, make([]byte, 1<<20))
	archive, err := zip.NewReader(bytes.NewReader(bomb), int64(len(bomb)))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range archive.File {
		if b, err := readEntry(entry, 1<<20-1); strings.HasSuffix(entry.Name, "/data.pkl") && err == nil {
			t.Errorf("%d bytes of %s unpacked", len(b), entry.Name)
		}
	}
	good.Model = append([]byte("PK\x03\x04"), bytes.Repeat([]byte("PK\x01\x02"), maxEntries+1)...)
	wantRefusal(t, good, lake.ModelKey, "more than 10000 entries")
}

// Layers may share one storage, so the size of the file does not bound their unpacked size.
func TestATowerSaysHowManyNumbersItHolds(t *testing.T) {
	wide := layer{weight: tensor{shape: []int{2048, 2048}}, bias: &tensor{shape: []int{2048}}}
	small := tower{layers: []layer{wide, wide}}
	if got, want := small.numbers(), 2*(2048*2048+2048); got != want {
		t.Errorf("%d numbers, want %d", got, want)
	}
	if got := (tower{layers: slices.Repeat([]layer{wide}, 1000)}).numbers(); got <= maxNumbers || got > 2*maxNumbers {
		t.Errorf("a tower of 1000 layers: %d numbers", got)
	}
}

// FuzzRead puts the data in the place of the model (0), its data.pkl (1), the encoder (2), the scaler (3) or the model as
// safetensors (4).
func FuzzRead(f *testing.F) {
	files := fixtures(f)
	good := goodFiles(files)
	for name, data := range files {
		place := byte(0)
		switch {
		case strings.Contains(name, "ohe") && strings.HasSuffix(name, ".pkl"):
			place = 2
		case strings.HasSuffix(name, ".pkl"):
			place = 3
		case strings.HasSuffix(name, ".safetensors"):
			place = 4
		case bytes.HasPrefix(data, []byte("PK")):
			f.Add(byte(1), pklOf(f, data))
		}
		f.Add(place, data)
	}
	f.Fuzz(func(t *testing.T, place byte, data []byte) {
		in := good
		switch place % 5 {
		case 0:
			in.Model = data
		case 1:
			in.Model = zipped(t, good.Model, data)
		case 2:
			in.UserOneHot = data
		case 3:
			in.UserScaler = data
		case 4:
			in.Model, in.Safetensors = nil, data
		}
		checkReadable(t, in)
	})
}

func pklOf(t testing.TB, model []byte) []byte {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(model), int64(len(model)))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range archive.File {
		if strings.HasSuffix(entry.Name, "/data.pkl") {
			pkl, err := readEntry(entry, MaxModelBytes)
			if err != nil {
				t.Fatal(err)
			}
			return pkl
		}
	}
	return nil
}

// Packed bytes unpack to no more than a scaler may have, and a header that claims a dictionary of 4 GiB gets none.
func TestCompressedBombsAreRefused(t *testing.T) {
	files := fixtures(t)
	var zeros bytes.Buffer
	packing := gzip.NewWriter(&zeros)
	if _, err := packing.Write(make([]byte, 4*MaxScalerBytes)); err != nil {
		t.Fatal(err)
	}
	if err := packing.Close(); err != nil {
		t.Fatal(err)
	}
	hugeXZ, hugeLZMA := bytes.Clone(files["joblib_xz_std.pkl"]), bytes.Clone(files["joblib_lzma_std.pkl"])
	hugeXZ[12+4] = 40 // the size of the dictionary, coded: 4 GiB - 1
	copy(hugeLZMA[1:], "\xff\xff\xff\xff")
	for name, data := range map[string][]byte{"gzip": zeros.Bytes(), "xz": hugeXZ, "lzma": hugeLZMA} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		in, _ := inPlaceOf(files, "x.pkl", data)
		_, err := Read(in)
		runtime.ReadMemStats(&after)
		if name == "gzip" && (err == nil || !strings.Contains(err.Error(), "unpacks to more than")) {
			t.Errorf("%s: %v", name, err)
		}
		if total := after.TotalAlloc - before.TotalAlloc; total > 8*MaxScalerBytes {
			t.Errorf("%s: %d MiB allocated", name, total>>20)
		}
	}
}

func TestHostileSafetensorsAreRefused(t *testing.T) {
	good := goodFiles(fixtures(t))
	file := func(length uint64, header string, numbers int) []byte {
		return append(append(binary.LittleEndian.AppendUint64(nil, length), header...), make([]byte, numbers)...)
	}
	whole := func(header string, numbers int) []byte { return file(uint64(len(header)), header, numbers) }
	for name, data := range map[string][]byte{
		"a header of 2^63 bytes":     file(1<<63, "{}", 0),
		"a header beyond the file":   file(100, `{"a.weight":{}}`, 0),
		"no JSON":                    whole("{{{{", 0),
		"a list":                     whole("[]", 0),
		"a shape of 2^62":            whole(`{"a.weight":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,4]}}`, 4),
		"a negative shape":           whole(`{"a.weight":{"dtype":"F32","shape":[-1,-4],"data_offsets":[0,16]}}`, 16),
		"a place beyond the file":    whole(`{"a.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[4,20]}}`, 16),
		"a negative place":           whole(`{"a.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[-16,0]}}`, 16),
		"a place that does not fit":  whole(`{"a.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[0,8]}}`, 16),
		"a shape of many dimensions": whole(`{"a.weight":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}}`, 4),
		"nothing":                    {},
		"a file of torch.save":       good.Model,
	} {
		in, key := inPlaceOf(fixtures(t), "x.safetensors", data)
		text := ""
		if name == "a header beyond the file" {
			text = "a safetensors file that is cut off"
		}
		wantRefusal(t, in, key, text)
		if t.Failed() {
			t.Fatal(name)
		}
	}
}
