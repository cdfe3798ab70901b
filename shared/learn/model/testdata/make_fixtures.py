"""Makes the fixtures of shared/learn/model with real PyTorch and scikit-learn, and expected.json with what PyTorch computes.

    apt-get install python3-torch python3-sklearn      # Debian 12: PyTorch 1.13, scikit-learn 1.2, NumPy 1.24
    /usr/bin/python3 make_fixtures.py                  # writes fixtures.tar.gz and expected.json beside itself

Three kinds of files in fixtures.tar.gz: models (*.pth), scalers (*.pkl), and files that must be refused (refused/*). A case of
expected.json names a model and two scalers and lists users with their embeddings; an embedding of null means
that the tower's output has no direction. NumPy 2 and scikit-learn before 0.22 name their modules differently;
those files are made by renaming the modules in a pickle, byte for byte what these versions write.
"""
import gzip
import io
import json
import os
import pickle
import tarfile
import tempfile
import zipfile
from collections import OrderedDict

import joblib
import numpy as np
import torch
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

here = os.path.dirname(os.path.abspath(__file__))
workshop = tempfile.TemporaryDirectory()
os.chdir(workshop.name)
os.makedirs("refused", exist_ok=True)
torch.manual_seed(20)
torch.set_num_threads(1)

PLACES = np.array(
    [["nantes", "france"], ["las vegas", "usa"], ["i̇zmir", "türkiye"], ["οδος", "greece"], ["paris", "france"]],
    dtype=object)
LIMITS = np.array([[21000.0], [71800.0], [0.0], [43400.5], [118200.0]])
USERS = [("nantes", "france", 21000.0), ("  Las Vegas ", "USA\t", 99999.99), ("İZMİR", "TÜRKİYE".replace("İ", "I"), 5.0),
         ("ΟΔΟΣ", "Greece", 43400.5), ("atlantis", "france", 0.0), ("paris", "lemuria", -10.0), ("", "", 71800.0)]
HIDDEN, DIMENSION, ITEM_FEATURES = 5, 3, 4


class TwoTower(torch.nn.Module):
    def __init__(self, features, user="user_nn", item="item_nn", layers=None, bias=True):
        super().__init__()
        self.user, self.item = user, item
        for tower, width in ((user, features), (item, ITEM_FEATURES)):
            linear = [torch.nn.Linear(width, HIDDEN, bias=bias), torch.nn.Linear(HIDDEN, HIDDEN, bias=bias),
                      torch.nn.Linear(HIDDEN, DIMENSION, bias=bias)]
            if layers is None:
                setattr(self, tower, torch.nn.Sequential(linear[0], torch.nn.ReLU(), torch.nn.Dropout(0.1), linear[1],
                                                         torch.nn.ReLU(), linear[2]))
                continue
            holder = torch.nn.Module()
            for name, layer in zip(layers, linear):
                setattr(holder, name, layer)
            setattr(self, tower, holder)

    def embed(self, x):
        linear = [m for m in getattr(self, self.user).modules() if isinstance(m, torch.nn.Linear)]
        for layer in linear[:-1]:
            x = torch.relu(layer(x))
        return linear[-1](x)


def encode(one_hot, scaler, users):
    """The features as the contract has them: numbers first, unknown categories as zeros."""
    rows = []
    for city, country, limit in users:
        texts, row = (city.strip().lower(), country.strip().lower()), list(scaler.transform([[limit]])[0])
        names = list(getattr(one_hot, "feature_names_in_", ["city", "country"]))
        for i, categories in enumerate(one_hot.categories_):
            text = texts[0 if "city" in names[i].lower() else 1]
            columns = [float(text == c) for c in categories]
            if one_hot.drop_idx_ is not None and one_hot.drop_idx_[i] is not None:
                del columns[one_hot.drop_idx_[i]]
            row += columns
        rows.append(row)
    return np.array(rows)


cases = []


def case(name, model, one_hot_name, one_hot, scaler_name, scaler):
    dtype = next(model.parameters()).dtype
    with torch.no_grad():
        out = model.eval().embed(torch.tensor(encode(one_hot, scaler, USERS), dtype=dtype))
        unit = torch.nn.functional.normalize(out, dim=1)
    embeddings = [[round(float(x), 7) for x in u] if bool(o.norm() > 1e-12) else None for u, o in zip(unit, out)]
    cases.append({"model": name, "one_hot": one_hot_name, "scaler": scaler_name, "users": [
        {"city": c, "country": k, "credit_limit": l, "embedding": e} for (c, k, l), e in zip(USERS, embeddings)]})


def save(path, data):
    with open(path, "wb") as f:
        f.write(data)


def rename_module(data, old, new):
    """Renames a module in a pickle of protocol 2 to 5, lengths included."""
    old, new = old.encode(), new.encode()
    for tag in (b"c%s\n", None):
        was = tag % old if tag else b"\x8c" + bytes([len(old)]) + old
        now = tag % new if tag else b"\x8c" + bytes([len(new)]) + new
        grown = data.count(was) * (len(now) - len(was))
        data = data.replace(was, now)
        if grown and data[2:3] == b"\x95":
            data = data[:3] + (int.from_bytes(data[3:11], "little") + grown).to_bytes(8, "little") + data[11:]
    return data


# Scalers: the plain ones in each protocol, then one variant a file.
plain_one_hot = OneHotEncoder(sparse_output=False, handle_unknown="ignore").fit(PLACES)
plain_scaler = StandardScaler().fit(LIMITS)
for protocol in range(2, 6):
    save(f"ohe_protocol{protocol}.pkl", pickle.dumps(plain_one_hot, protocol=protocol))
    save(f"std_protocol{protocol}.pkl", pickle.dumps(plain_scaler, protocol=protocol))

one_hots = {"unicode": OneHotEncoder().fit(PLACES.astype(str)),
            "drop_first": OneHotEncoder(drop="first").fit(PLACES),
            "drop_binary": OneHotEncoder(drop="if_binary").fit(PLACES[:2]),
            "drop_some": OneHotEncoder(drop="if_binary").fit(PLACES[[0, 1, 4]]),
            "country_first": OneHotEncoder(dtype=int).fit(PLACES[:, ::-1])}
one_hots["country_first"].feature_names_in_ = np.array(["country", "city"], dtype=object)
one_hots["big_endian"] = OneHotEncoder().fit(PLACES.astype(str))
one_hots["big_endian"].categories_ = [c.astype(c.dtype.newbyteorder(">")) for c in one_hots["big_endian"].categories_]
scalers = {"without_mean": StandardScaler(with_mean=False).fit(LIMITS),
           "without_std": StandardScaler(with_std=False).fit(LIMITS),
           "neither": StandardScaler(with_mean=False, with_std=False).fit(LIMITS),
           "constant": StandardScaler().fit([[5.0], [5.0]]),
           "float32": StandardScaler().fit(LIMITS)}
scalers["float32"].mean_ = scalers["float32"].mean_.astype(">f4").astype("f8").astype(">f4")
for name, estimator in one_hots.items():
    save(f"ohe_{name}.pkl", pickle.dumps(estimator, protocol=5 if name == "big_endian" else 4))
for name, estimator in scalers.items():
    save(f"std_{name}.pkl", pickle.dumps(estimator, protocol=2 if name == "float32" else 4))
for protocol in (2, 4, 5):
    for kind, estimator in (("ohe", plain_one_hot), ("std", plain_scaler)):
        data = pickle.dumps(estimator, protocol=protocol)
        for module in ("multiarray", "numeric"):
            data = rename_module(data, f"numpy.core.{module}", f"numpy._core.{module}")
        save(f"{kind}_numpy2_protocol{protocol}.pkl", data)
save("std_old_module.pkl", rename_module(pickle.dumps(plain_scaler, 4), "sklearn.preprocessing._data", "sklearn.preprocessing.data"))

# Models: the plain one in each container, then one variant a file.
plain = TwoTower(encode(plain_one_hot, plain_scaler, USERS).shape[1])
weights = plain.state_dict()
optimizer = torch.optim.Adam(plain.parameters())
plain.embed(torch.ones(1, plain.user_nn[0].in_features)).sum().backward()
optimizer.step()  # so that the checkpoint holds the optimizer's tensors too
models = {
    "bare": (plain, weights),
    "plain_dict": (plain, dict(weights)),
    "checkpoint": (plain, {"epoch": 7, "best_loss": np.float64(0.25), "loss": torch.tensor(0.5), "shape": torch.Size([2, 3]),
                           "device": torch.device("cpu"), "optimizer_state_dict": optimizer.state_dict(),
                           "model_state_dict": weights}),
    "nested": (plain, {"run": {"weights": weights, "note": "nested twice"}}),
    "towers_apart": (plain, {"user_tower": plain.user_nn.state_dict(), "item_tower": plain.item_nn.state_dict()}),
    "data_parallel": (plain, OrderedDict(("module." + k, v) for k, v in weights.items())),
    "parameters": (plain, {k: v for k, v in plain.named_parameters()}),
    "temperature": (plain, OrderedDict([("logit_scale", torch.tensor(2.0)), ("model.scale", torch.ones(1))] +
                                       [("model." + k, v) for k, v in weights.items()])),
    "transposed": (plain, OrderedDict((k, v.t().contiguous().t() if v.dim() == 2 else v) for k, v in weights.items())),
}
flat = torch.cat([v.flatten() for v in weights.values()])  # one storage that all tensors share
offset, shared = 0, OrderedDict()
for k, v in weights.items():
    shared[k] = flat[offset:offset + v.numel()].view_as(v)
    offset += v.numel()
models["shared_storage"] = (plain, shared)
width = plain.user_nn[0].in_features
fc = TwoTower(width, "user_tower", "item_tower", ["fc1", "fc2", "fc10"])
models["fc_sorted_as_text"] = (fc, OrderedDict(sorted(fc.state_dict().items())))
named = TwoTower(width, "user_tower", "item_tower", ["inlet", "hidden", "outlet"])
models["named_layers"] = (named, named.state_dict())
by_width = TwoTower(width, "left", "right")
models["by_width"] = (by_width, by_width.state_dict())
flat_names = TwoTower(width)
models["flat_names"] = (flat_names, OrderedDict((k.replace("_nn.", "_fc"), v) for k, v in flat_names.state_dict().items()))
no_bias = TwoTower(width, bias=False)
models["without_bias"] = (no_bias, no_bias.state_dict())
zero = TwoTower(width)
for p in zero.parameters():
    torch.nn.init.zeros_(p)
models["zero"] = (zero, zero.state_dict())
double = TwoTower(width).double()
models["float64"] = (double, double.state_dict())
for name, (model, what) in models.items():
    torch.save(what, f"{name}.pth")
    case(f"{name}.pth", model, "ohe_protocol4.pkl", plain_one_hot, "std_protocol4.pkl", plain_scaler)
for name in ("bare", "checkpoint", "shared_storage", "float64", "transposed"):
    model, what = models[name]
    torch.save(what, f"{name}_legacy.pth", _use_new_zipfile_serialization=False)
    case(f"{name}_legacy.pth", model, "ohe_protocol4.pkl", plain_one_hot, "std_protocol4.pkl", plain_scaler)
for protocol in (3, 4, 5):
    torch.save(weights, f"bare_protocol{protocol}.pth", pickle_protocol=protocol)
    case(f"bare_protocol{protocol}.pth", plain, f"ohe_protocol{protocol}.pkl", plain_one_hot, f"std_protocol{protocol}.pkl", plain_scaler)
case("bare.pth", plain, "ohe_protocol2.pkl", plain_one_hot, "std_protocol2.pkl", plain_scaler)
for protocol in (2, 4, 5):
    case("bare.pth", plain, f"ohe_numpy2_protocol{protocol}.pkl", plain_one_hot, f"std_numpy2_protocol{protocol}.pkl", plain_scaler)
case("bare.pth", plain, "ohe_protocol4.pkl", plain_one_hot, "std_old_module.pkl", plain_scaler)
joblib.dump(plain_scaler, "std_joblib.pkl")
case("bare.pth", plain, "ohe_protocol4.pkl", plain_one_hot, "std_joblib.pkl", plain_scaler)
for compression in ("zlib", "gzip", "bz2", "xz", "lzma"):
    joblib.dump(plain_scaler, f"std_joblib_{compression}.pkl", compress=(compression, 3))
    case("bare.pth", plain, "ohe_protocol4.pkl", plain_one_hot, f"std_joblib_{compression}.pkl", plain_scaler)
for name, estimator in scalers.items():
    case("bare.pth", plain, "ohe_protocol4.pkl", plain_one_hot, f"std_{name}.pkl", estimator)
for name, estimator in one_hots.items():
    model = plain
    if encode(estimator, plain_scaler, USERS).shape[1] != width:
        model = TwoTower(encode(estimator, plain_scaler, USERS).shape[1])
        torch.save(model.state_dict(), f"for_{name}.pth")
    case("bare.pth" if model is plain else f"for_{name}.pth", model, f"ohe_{name}.pkl", estimator, "std_protocol4.pkl", plain_scaler)


# Files that must be refused. Attack would write a file when it is run.
class Attack:
    def __reduce__(self):
        return os.system, ("touch attacked",)


class Eval:
    def __reduce__(self):
        return eval, ("open('attacked', 'w')",)


torch.save(plain, "refused/module.pth")
torch.save({"model": torch.nn.Sequential(torch.nn.Linear(2, 3))}, "refused/sequential.pth")
torch.save({**weights, "x": Attack()}, "refused/attack.pth")
torch.save({**weights, "x": Attack()}, "refused/attack_legacy.pth", _use_new_zipfile_serialization=False)
torch.save({k: v * float("nan") for k, v in weights.items()}, "refused/nan.pth")
torch.save({"epoch": 3, "lr": 0.1}, "refused/no_weights.pth")
torch.save({**weights, "head.weight": torch.ones(1, 6)}, "refused/three_groups.pth")
torch.save(TwoTower(width + 2).state_dict(), "refused/width.pth")
torch.save(TwoTower(ITEM_FEATURES, "left", "right").state_dict(), "refused/which_tower.pth")
norm = OrderedDict()
for k, v in weights.items():
    norm[k] = v
    if k == "user_nn.0.bias":
        norm.update(("user_nn.1." + n, p) for n, p in torch.nn.BatchNorm1d(HIDDEN).state_dict().items())
torch.save(norm, "refused/batch_norm.pth")
script = io.BytesIO()
torch.jit.save(torch.jit.script(torch.nn.Linear(2, 3)), script)
with zipfile.ZipFile(script) as source, zipfile.ZipFile("refused/torchscript.pth", "w") as target:
    for name in source.namelist():
        if not name.endswith(".debug_pkl"):  # it holds paths of the machine
            target.writestr(zipfile.ZipInfo(name), source.read(name))
save("refused/plain_pickle.pth", pickle.dumps({"user_nn.0.weight": [[1.0]]}))
np.savez("refused/arrays.npz", plain_scaler.mean_)
np.save("refused/array.npy", plain_scaler.mean_)
save("refused/attack.pkl", pickle.dumps(Attack(), protocol=4))
save("refused/eval.pkl", pickle.dumps(Eval(), protocol=2))
hidden = StandardScaler().fit(LIMITS)
hidden.mean_ = [Attack()]
save("refused/attack_inside.pkl", pickle.dumps(hidden, protocol=5))
save("refused/pipeline.pkl", pickle.dumps(make_pipeline(StandardScaler()).fit(LIMITS)))
save("refused/unfitted.pkl", pickle.dumps(StandardScaler()))
save("refused/two_columns.pkl", pickle.dumps(StandardScaler().fit([[1.0, 2.0], [3.0, 4.0]])))
save("refused/protocol0.pkl", pickle.dumps(plain_scaler, protocol=0))
save("refused/infrequent_ohe.pkl", pickle.dumps(OneHotEncoder(min_frequency=2).fit(PLACES)))
save("refused/unfitted_ohe.pkl", pickle.dumps(OneHotEncoder()))
save("refused/one_column_ohe.pkl", pickle.dumps(OneHotEncoder().fit(PLACES[:, :1])))
save("refused/numbers_ohe.pkl", pickle.dumps(OneHotEncoder().fit([[1, 2], [3, 4]])))

with gzip.GzipFile(os.path.join(here, "fixtures.tar.gz"), "wb", 9, mtime=0) as packed, \
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
    for folder, _, names in sorted(os.walk(".")):
        for name in sorted(names):
            path = os.path.relpath(os.path.join(folder, name), ".")
            entry = tarfile.TarInfo(path)
            entry.size = os.path.getsize(path)
            with open(path, "rb") as f:
                archive.addfile(entry, f)
os.chdir(here)
with open("expected.json", "w") as f:
    json.dump({"torch": torch.__version__, "cases": cases}, f, separators=(",", ":"), ensure_ascii=False)
    f.write("\n")
