package model

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"

	"recsys/shared/contract/lake"
)

// expectation is a case of expected.json: PyTorch's results for three fixtures.
type expectation struct {
	Model  string `json:"model"`
	OneHot string `json:"one_hot"`
	Scaler string `json:"scaler"`
	Users  []struct {
		City        string    `json:"city"`
		Country     string    `json:"country"`
		CreditLimit float64   `json:"credit_limit"`
		Embedding   []float32 `json:"embedding"` // nil: no direction
	} `json:"users"`
}

// fixtures unpacks the output of make_fixtures.py and make_saved.py.
func fixtures(t testing.TB) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	unpack(t, "testdata/fixtures.tar.gz", files)
	unpack(t, "testdata/saved.tar.gz", files)
	return files
}

func unpack(t testing.TB, path string, into map[string][]byte) {
	t.Helper()
	packed, err := gzip.NewReader(bytes.NewReader(readFile(t, path)))
	if err != nil {
		t.Fatal(err)
	}
	for archive := tar.NewReader(packed); ; {
		entry, err := archive.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if into[entry.Name], err = io.ReadAll(archive); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEveryLayoutGivesTheVectorsOfPyTorch(t *testing.T) {
	files := fixtures(t)
	var cases []expectation
	for _, path := range []string{"testdata/expected.json", "testdata/saved.json"} {
		var truth struct{ Cases []expectation }
		readJSON(t, path, &truth)
		cases = append(cases, truth.Cases...)
	}
	if len(cases) < 60 {
		t.Fatalf("only %d cases", len(cases))
	}
	for _, c := range cases {
		t.Run(c.Model+" "+c.OneHot+" "+c.Scaler, func(t *testing.T) {
			in := Files{Model: files[c.Model], UserOneHot: files[c.OneHot], UserScaler: files[c.Scaler]}
			if strings.HasSuffix(c.Model, ".safetensors") {
				in.Model, in.Safetensors = nil, files[c.Model]
			}
			m, err := Read(in)
			if err != nil {
				t.Fatal(err)
			}
			for i, u := range c.Users {
				got, err := m.UserEmbedding(userOf(u.City, u.Country, u.CreditLimit))
				if u.Embedding == nil {
					if !errors.Is(err, ErrNoDirection) {
						t.Errorf("user %d: %v, want no direction", i, err)
					}
					continue
				}
				if err != nil {
					t.Fatalf("user %d: %v", i, err)
				}
				if d := largestDifference(got, u.Embedding); d > 1e-5 {
					t.Errorf("user %d: off by %g", i, d)
				}
			}
		})
	}
}

// refusals: each fixture of refused/, in place of a good file, with a part of the error's text.
var refusals = []struct{ file, text string }{
	{"module.pth", "the class __main__.TwoTower; save the weights alone: torch.save(model.state_dict()"},
	{"sequential.pth", "the class torch.nn.modules.container.Sequential; save"},
	{"attack.pth", "the class posix.system"},
	{"attack_legacy.pth", "the class posix.system"},
	{"layer_norm.pth", `"1" is not a Linear layer: its weight is one row, as in a LayerNorm`},
	{"prelu.pth", `"1" is not a Linear layer: its weight is one row without a bias, as in a PReLU`},
	{"weight_norm.pth", `"0" is not a Linear layer: it has no weight, as after weight_norm`},
	{"embeddings.pth", `"user_embedding" is not a Linear layer: it looks like an nn.Embedding`},
	{"skip.pth", `"user_skip" takes 10 numbers, but "user_nn.2" before it gives 3: layers that follow one another are read, without residual`},
	{"alone_other_width.pth", "takes 12 numbers, but the scalers give 10"},
	{"order.safetensors", "the order of the user tower's layers"},
	{"float8.safetensors", `the tensor "0.weight": the type "F8_E4M3": F64, F32, F16 and BF16 are read`},
	{"quantised.pth", "weights in a torch.CharStorage: float64, float32, float16 and bfloat16 are read"},
	{"nan.pth", `"user_nn.0": a weight that is no finite number`},
	{"no_weights.pth", "no state dict in it"},
	{"three_groups.pth", `3 groups of layers ("user", "item", "head")`},
	{"width.pth", "takes 12 numbers, but the scalers give 10"},
	{"which_tower.pth", "which tower is the user's?"},
	{"batch_norm.pth", `"user_nn.1" is not a Linear layer: it has a parameter "num_batches_tracked" and looks like a BatchNorm`},
	{"torchscript.pth", "a TorchScript archive; save"},
	{"plain_pickle.pth", "a plain pickle, not a file of torch.save"},
	{"arrays.npz", "a NumPy .npz archive"},
	{"array.npy", "a NumPy .npy array"},
	{"attack.pkl", "the class posix.system; save the fitted scikit-learn object alone"},
	{"eval.pkl", "the class __builtin__.eval"},
	{"attack_inside.pkl", "the class posix.system"},
	{"pipeline.pkl", "the class sklearn.pipeline.Pipeline"},
	{"unfitted.pkl", "it is not fitted"},
	{"two_columns.pkl", "not fitted on one column, the credit limit"},
	{"protocol0.pkl", "not a pickle of protocol 2 to 5"},
	{"infrequent_ohe.pkl", "a OneHotEncoder with infrequent categories; fit it without"},
	{"unfitted_ohe.pkl", "it is not fitted"},
	{"one_column_ohe.pkl", "fitted on 1 columns, not on city and country"},
	{"numbers_ohe.pkl", "not of texts"},
}

// inPlaceOf puts a file where its name belongs.
func inPlaceOf(files map[string][]byte, name string, data []byte) (Files, string) {
	good := goodFiles(files)
	switch {
	case strings.HasSuffix(name, "_ohe.pkl"):
		good.UserOneHot = data
		return good, lake.UserOneHotKey
	case strings.HasSuffix(name, ".pkl"):
		good.UserScaler = data
		return good, lake.UserScalerKey
	case strings.HasSuffix(name, ".safetensors"):
		good.Model, good.Safetensors = nil, data
		return good, lake.SafetensorsKey
	}
	good.Model = data
	return good, lake.ModelKey
}

func goodFiles(files map[string][]byte) Files {
	return Files{Model: files["bare.pth"], UserOneHot: files["ohe_protocol4.pkl"], UserScaler: files["std_protocol4.pkl"]}
}

func TestOtherFilesAreRefusedWithAdvice(t *testing.T) {
	files := fixtures(t)
	tested := map[string]bool{}
	for _, r := range refusals {
		tested["refused/"+r.file] = true
		in, key := inPlaceOf(files, r.file, files["refused/"+r.file])
		wantRefusal(t, in, key, r.text)
	}
	for name := range files {
		if strings.HasPrefix(name, "refused/") && !tested[name] {
			t.Errorf("%s is in no test", name)
		}
	}
}

func TestForeignBytesAreRefusedWithAdvice(t *testing.T) {
	files := fixtures(t)
	for _, name := range []string{"x.pth", "x_ohe.pkl", "x.pkl"} {
		for content, text := range map[string]string{
			"":                                 "the file is empty",
			"<!DOCTYPE html><html>":            "HTML or XML",
			"  \n<?xml version='1.0'?><Error>": "HTML or XML",
			`{"a": 1}`:                         "JSON",
			"version https://git-lfs.github.com/spec/v1\n":  "a Git LFS pointer",
			"\x40\x00\x00\x00\x00\x00\x00\x00{\"a\":1}    ": "a safetensors file",
			"\x89HDF\r\n\x1a\n":                             "HDF5",
			"hello world":                                   "",
			"\x80":                                          "",
			"\x80\x04":                                      "ends early",
			"PK\x03\x04":                                    "zip archive",
		} {
			in, key := inPlaceOf(files, name, []byte(content))
			wantRefusal(t, in, key, text)
		}
	}
}

func TestSwappedFilesAreRefused(t *testing.T) {
	good := goodFiles(fixtures(t))
	wantRefusal(t, Files{Model: good.Model, UserOneHot: good.UserScaler, UserScaler: good.UserOneHot}, lake.UserScalerKey, "OneHotEncoder")
	wantRefusal(t, Files{Model: good.UserOneHot, UserOneHot: good.UserOneHot, UserScaler: good.UserScaler}, lake.ModelKey, "OneHotEncoder")
	wantRefusal(t, Files{Model: good.Model, UserOneHot: good.Model, UserScaler: good.UserScaler}, lake.UserOneHotKey, "a zip archive")
}

func wantRefusal(t *testing.T, in Files, key, text string) {
	t.Helper()
	m, err := Read(in)
	if m != nil || err == nil {
		t.Errorf("%q was read", text)
		return
	}
	unsupported, isUnsupported := errors.AsType[*Unsupported](err)
	damaged, isInvalid := errors.AsType[*Invalid](err)
	if isUnsupported && unsupported.File != key || isInvalid && damaged.File != key || !isUnsupported && !isInvalid {
		t.Errorf("%T %v: not about %s", err, err, key)
	}
	if !strings.Contains(err.Error(), text) {
		t.Errorf("%q does not say %q", err, text)
	}
}
