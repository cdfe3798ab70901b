"""Makes the files that today's PyTorch, scikit-learn and joblib save, and what PyTorch computes from them.

    python3 -m venv v && v/bin/pip install torch==2.15.0 scikit-learn==1.9.1 joblib==1.6.0 safetensors==0.8.0 lz4
    v/bin/python make_saved.py                         # writes saved.tar.gz and saved.json next to itself

make_fixtures.py does the same with the versions of Debian 12 and has the variants of containers and encoders. Here are the ways
in which people save: a tower alone, half precision, names of wrappers. The format of saved.json is that of expected.json.
"""
import argparse
import gzip
import json
import os
import pickle
import tarfile
import tempfile
from collections import OrderedDict

import joblib
import numpy as np
import torch
from safetensors.torch import save_file
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch.nn import Linear, Module, ModuleList, ReLU, Sequential

here = os.path.dirname(os.path.abspath(__file__))
workshop = tempfile.TemporaryDirectory()
os.chdir(workshop.name)
os.makedirs("refused", exist_ok=True)
torch.manual_seed(11)
torch.set_num_threads(1)

PLACES = np.array([["lyon", "france"], ["oslo", "norway"], ["bergen", "norway"], ["são paulo", "brazil"], ["kraków", "poland"]],
                  dtype=object)
LIMITS = np.array([[1000.0], [52000.5], [98000.0], [30000.0], [64000.0]])
USERS = [("lyon", "france", 1000.0), (" OSLO", "Norway ", 70000.0), ("São Paulo", "BRAZIL", 12.5), ("nowhere", "norway", 0.0)]
one_hot = OneHotEncoder(handle_unknown="ignore").fit(PLACES)
scaler = StandardScaler().fit(LIMITS)
FEATURES, HIDDEN, DIMENSION, ITEM_FEATURES = 1 + 5 + 4, 5, 3, 6
cases = []


def features():
    """Numbers first, unknown categories as zeros."""
    places = [[city.strip().lower(), country.strip().lower()] for city, country, _ in USERS]
    numbers = scaler.transform([[limit] for _, _, limit in USERS])
    return torch.tensor(np.hstack([numbers, one_hot.transform(np.array(places, dtype=object)).toarray()]), dtype=torch.float32)


def case(model, tower, one_hot="ohe.pkl", scaler="std.pkl"):
    """Notes what the tower gives for the users, computed in float32."""
    with torch.no_grad():
        unit = torch.nn.functional.normalize(tower.float()(features()), dim=1)
    cases.append({"model": model, "one_hot": one_hot, "scaler": scaler, "users": [
        {"city": city, "country": country, "credit_limit": limit, "embedding": [round(float(x), 7) for x in vector]}
        for (city, country, limit), vector in zip(USERS, unit)]})


def sequential(*widths):
    layers = []
    for a, b in zip(widths, widths[1:]):
        layers += [Linear(a, b), ReLU()]
    return Sequential(*layers[:-1])


class Chain(Module):
    """Linear layers under the given names, ReLU between."""

    def __init__(self, names, *widths):
        super().__init__()
        self.names = names
        for name, a, b in zip(names, widths, widths[1:]):
            setattr(self, name, Linear(a, b))

    def forward(self, x):
        for name in self.names[:-1]:
            x = torch.relu(getattr(self, name)(x))
        return getattr(self, self.names[-1])(x)


class Towers(Module):
    def __init__(self, user, item, user_name="user_nn", item_name="item_nn"):
        super().__init__()
        setattr(self, user_name, user)
        setattr(self, item_name, item)


def towers(user_name="user_nn", item_name="item_nn"):
    return Towers(sequential(FEATURES, HIDDEN, DIMENSION), sequential(ITEM_FEATURES, HIDDEN, DIMENSION), user_name, item_name)


def save(name, what, **options):
    torch.save(what, name, **options)


def dump(name, estimator):
    with open(name, "wb") as file:
        pickle.dump(estimator, file)


def prefixed(state, prefix):
    return OrderedDict((prefix + key, value) for key, value in state.items())


dump("ohe.pkl", one_hot)
dump("std.pkl", scaler)

# A tower saved alone. Where hidden and output are equally wide, each layer could be taken for a tower.
ALONE = {
    "alone_sequential": sequential(FEATURES, DIMENSION, DIMENSION),
    "alone_three_layers": sequential(FEATURES, DIMENSION, DIMENSION, DIMENSION),
    "alone_wider": sequential(FEATURES, HIDDEN, DIMENSION),
    "alone_one_layer": sequential(FEATURES, DIMENSION),
    "alone_fc": Chain(["fc1", "fc2"], FEATURES, DIMENSION, DIMENSION),
    "alone_linear_in_out": Chain(["linear_in", "linear_out"], FEATURES, DIMENSION, DIMENSION),
    "alone_hidden_output": Chain(["hidden", "output"], FEATURES, DIMENSION, DIMENSION),
    "alone_user_fc": Chain(["user_fc1", "user_fc2"], FEATURES, DIMENSION, DIMENSION),
}
for name, tower in ALONE.items():
    save(f"{name}.pth", tower.state_dict())
    case(f"{name}.pth", tower)
encoder = Sequential(OrderedDict(encoder=sequential(FEATURES, DIMENSION, DIMENSION), relu=ReLU(), head=Linear(DIMENSION, DIMENSION)))
save("alone_encoder_head.pth", encoder.state_dict())
case("alone_encoder_head.pth", encoder)
save("alone_net.pth", prefixed(ALONE["alone_sequential"].state_dict(), "net."))
case("alone_net.pth", ALONE["alone_sequential"])
save("alone_compiled.pth", prefixed(ALONE["alone_sequential"].state_dict(), "_orig_mod.module."))
case("alone_compiled.pth", ALONE["alone_sequential"])

# Two towers stay two towers, also of one layer each, and whatever they are called.
pairs = {
    "two_lists": Towers(ModuleList([Linear(FEATURES, DIMENSION)]), ModuleList([Linear(ITEM_FEATURES, DIMENSION)]), "towers", "others"),
    "two_numbers": ModuleList([Linear(FEATURES, DIMENSION), Linear(ITEM_FEATURES, DIMENSION)]),
    "two_equal_widths": Towers(sequential(FEATURES, DIMENSION), sequential(DIMENSION, DIMENSION), "customer_tower", "product_tower"),
    "two_of_one_width": Towers(sequential(FEATURES, DIMENSION), sequential(FEATURES, DIMENSION), "query", "candidate"),
    "two_member_article": towers("member_encoder", "article_encoder"),
}
for name, pair in pairs.items():
    save(f"{name}.pth", pair.state_dict())
    first = next(pair.children())
    case(f"{name}.pth", Sequential(*first) if isinstance(first, ModuleList) else first)

# Precision, wrappers, and a checkpoint of Lightning.
pair = towers()
for name, dtype in {"half": torch.float16, "bfloat16": torch.bfloat16, "double": torch.float64}.items():
    state = {key: value.to(dtype) for key, value in pair.state_dict().items()}
    state["item_nn.0.weight"] = state["item_nn.0.weight"].float()  # mixed, as autocast leaves it
    rounded = towers()
    rounded.load_state_dict(state)
    save(f"{name}.pth", state)
    save(f"{name}_legacy.pth", state, _use_new_zipfile_serialization=False)
    for file in (f"{name}.pth", f"{name}_legacy.pth"):
        case(file, rounded.user_nn)
tiny = towers()
with torch.no_grad():
    for parameter in tiny.parameters():
        parameter.mul_(1e-6)  # subnormal numbers of float16
tiny_half = {key: value.half() for key, value in tiny.state_dict().items()}
tiny.load_state_dict(tiny_half)
save("half_subnormal.pth", tiny_half)
case("half_subnormal.pth", tiny.user_nn)
save("lightning.pth", {
    "epoch": 3, "global_step": 40, "pytorch-lightning_version": "2.5.0", "state_dict": prefixed(pair.state_dict(), "model."),
    "loops": {"fit_loop": {"state_dict": {}}}, "callbacks": {}, "optimizer_states": [], "lr_schedulers": [],
    "hparams_name": "kwargs", "hyper_parameters": {"lr": 1e-3, "args": argparse.Namespace(width=HIDDEN)},
})
case("lightning.pth", pair.user_nn)

# Estimators as joblib writes them. Texts are objects, or of NumPy's own type, which is written between the opcodes.
texts = OneHotEncoder(sparse_output=False).fit(PLACES.astype(str))
for compress in (0, 3, "gzip", "bz2", "lzma", "xz", "lz4"):
    name = "plain" if compress == 0 else "zlib" if compress == 3 else compress
    level = compress if isinstance(compress, int) else (compress, 9)
    joblib.dump(one_hot, f"joblib_{name}_ohe.pkl", compress=level)
    joblib.dump(scaler, f"joblib_{name}_std.pkl", compress=level)
    case("alone_wider.pth", ALONE["alone_wider"], f"joblib_{name}_ohe.pkl", f"joblib_{name}_std.pkl")
joblib.dump(texts, "joblib_texts_ohe.pkl")
joblib.dump(texts, "joblib_texts_zlib_ohe.pkl", compress=True)
joblib.dump(scaler, "joblib_protocol2_std.pkl", protocol=2)
joblib.dump(texts, "joblib_protocol2_ohe.pkl", protocol=2)
case("alone_wider.pth", ALONE["alone_wider"], "joblib_texts_ohe.pkl")
case("alone_wider.pth", ALONE["alone_wider"], "joblib_texts_zlib_ohe.pkl")
case("alone_wider.pth", ALONE["alone_wider"], "joblib_protocol2_ohe.pkl", "joblib_protocol2_std.pkl")
with gzip.GzipFile("pickle_gzip_std.pkl", "wb", mtime=0) as file:
    pickle.dump(scaler, file)
case("alone_wider.pth", ALONE["alone_wider"], scaler="pickle_gzip_std.pkl")

# The same weights as safetensors, which keeps no order of the layers.
for name in ALONE:
    save_file(ALONE[name].state_dict(), f"{name}.safetensors")
    case(f"{name}.safetensors", ALONE[name])
for name, tower in {"alone_encoder_head": encoder, "two_towers": pair, "two_numbers": pairs["two_numbers"]}.items():
    save_file(tower.state_dict(), f"{name}.safetensors", metadata={"format": "pt", "epoch": "3"})
    first = next(tower.children())
    case(f"{name}.safetensors", tower if tower is encoder else Sequential(first) if tower is pairs["two_numbers"] else first)
for name, dtype in {"half": torch.float16, "bfloat16": torch.bfloat16, "double": torch.float64}.items():
    state = {key: value.to(dtype) for key, value in pair.state_dict().items()}
    rounded = towers()
    rounded.load_state_dict(state)
    state["steps"] = torch.tensor(7)
    save_file(state, f"{name}.safetensors")
    case(f"{name}.safetensors", rounded.user_nn)
eleven = sequential(FEATURES, *[DIMENSION] * 11)  # 0, 10, 12 … 2, 20, 4: sorted as texts
save_file(eleven.state_dict(), "eleven_layers.safetensors")
case("eleven_layers.safetensors", eleven)
save_file(Chain(["first", "second", "last"], FEATURES, DIMENSION, DIMENSION, DIMENSION).state_dict(), "refused/order.safetensors")
save_file({"0.weight": torch.ones(DIMENSION, FEATURES).to(torch.float8_e4m3fn)}, "refused/float8.safetensors")

# Layers that cannot be read, each with the words that name it in the test.
with_norm = Sequential(Linear(FEATURES, HIDDEN), torch.nn.LayerNorm(HIDDEN), ReLU(), Linear(HIDDEN, DIMENSION))
save("refused/layer_norm.pth", with_norm.state_dict())
save("refused/prelu.pth", Sequential(Linear(FEATURES, HIDDEN), torch.nn.PReLU(), Linear(HIDDEN, DIMENSION)).state_dict())
normed = Sequential(torch.nn.utils.parametrizations.weight_norm(Linear(FEATURES, HIDDEN)), ReLU(), Linear(HIDDEN, DIMENSION))
save("refused/weight_norm.pth", normed.state_dict())
factors = Module()
factors.user_embedding, factors.item_embedding = torch.nn.Embedding(20, DIMENSION), torch.nn.Embedding(12, DIMENSION)
save("refused/embeddings.pth", factors.state_dict())
skip = Module()
skip.nn, skip.skip = sequential(FEATURES, HIDDEN, DIMENSION), Linear(FEATURES, DIMENSION, bias=False)
save("refused/skip.pth", prefixed(skip.state_dict(), "user_"))
save("refused/alone_other_width.pth", sequential(FEATURES + 2, DIMENSION, DIMENSION).state_dict())
save("refused/quantised.pth", {"0.weight": torch.ones(DIMENSION, FEATURES, dtype=torch.int8), "0.bias": torch.zeros(DIMENSION)})

with gzip.GzipFile(os.path.join(here, "saved.tar.gz"), "wb", 9, mtime=0) as packed, \
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
    for folder, _, names in sorted(os.walk(".")):
        for name in sorted(names):
            path = os.path.relpath(os.path.join(folder, name), ".")
            entry = tarfile.TarInfo(path)
            entry.size = os.path.getsize(path)
            with open(path, "rb") as f:
                archive.addfile(entry, f)
os.chdir(here)
with open("saved.json", "w") as f:
    json.dump({"torch": torch.__version__, "cases": cases}, f, separators=(",", ":"), ensure_ascii=False)
    f.write("\n")
