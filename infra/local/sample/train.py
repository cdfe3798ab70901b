"""Trains the two-tower model of the sample shop and hands it over as the pipeline expects it.

Reads   DATA/training.csv   one line a rating, the columns of the training rows (strings trimmed, NULL empty)
        DATA/products.csv   all products, also those that nobody rated
        DATA/truth.json     optional: the planted factors, only to report how much of them was learned
Writes  OUT/artifacts/embeddings/{item,user}_embeddings.csv   id,embedding: all products; customers with ratings
        OUT/artifacts/model/best_model.pth                    state dict of TwoTowers
        OUT/artifacts/scalers/{user,item}_{ohe,std_scaler}.pkl
        OUT/artifacts/embeddings/_SUCCESS                     last
        OUT/parity.json    features in, embedding and nearest five products out, as PyTorch computes them

The model: a tower for customers (credit limit; city, country) and one for products (stock, prices; line, scale),
each Linear, ReLU, Linear, with an output of length 1. The cosine of a customer and a product is trained to
give the rating by a straight line (two numbers that are not kept: they change no order), and to be higher
for what was bought than for a product drawn at random (BPR, Rendle et al. 2009), since who buys what
tells as much about taste as the ratings do.

Seeded and single-threaded: on one machine the same data gives the same files.
Tried with PyTorch 1.13, scikit-learn 1.2, pandas 1.5 (Debian 12: python3-torch python3-sklearn python3-pandas).
"""

import argparse
import copy
import json
import pathlib
import pickle

import numpy as np
import pandas as pd
import torch
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch import nn

SEED = 7
DIMENSION = 32
HIDDEN = 64
EPOCHS = 60
BATCH = 64
SHARPNESS = 4.0  # of the comparison with a product drawn at random: what a difference of cosines counts
COMPARISON_WEIGHT = 2.0  # against the squared error of the rating

USER_NUMBERS, USER_CATEGORIES = ["creditlimit"], ["city", "country"]
ITEM_NUMBERS, ITEM_CATEGORIES = ["quantityinstock", "buyprice", "msrp"], ["productline", "productscale"]

# What the shop's customers never said: the encoders must take it.
STRANGERS = [
    {"city": "reykjavík", "country": "iceland", "credit_limit": 52000.0},
    {"city": "lyon", "country": "nowhere", "credit_limit": 0.0},
    {"city": "", "country": "", "credit_limit": 1000000.0},
    {"city": "  LYON ", "country": "France  ", "credit_limit": 71300.0},
]


class TwoTowers(nn.Module):
    def __init__(self, user_width, item_width):
        super().__init__()
        self.user_nn = tower(user_width)
        self.item_nn = tower(item_width)

    def user(self, features):
        return nn.functional.normalize(self.user_nn(features), dim=1)

    def item(self, features):
        return nn.functional.normalize(self.item_nn(features), dim=1)


def tower(width):
    return nn.Sequential(nn.Linear(width, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, DIMENSION))


class Features:
    """Numbers scaled, then categories one-hot; lower case and trimmed; a missing number is the mean, i.e. 0."""

    def __init__(self, table, numbers, categories):
        self.numbers, self.categories = numbers, categories
        self.scaler = StandardScaler().fit(table[numbers])
        self.one_hot = OneHotEncoder(handle_unknown="ignore").fit(clean(table[categories]))
        self.width = len(numbers) + sum(len(c) for c in self.one_hot.categories_)

    def __call__(self, table):
        numbers = np.nan_to_num(self.scaler.transform(table[self.numbers]))
        categories = self.one_hot.transform(clean(table[self.categories])).toarray()
        return torch.tensor(np.hstack([numbers, categories]), dtype=torch.float32)


def clean(texts):
    return texts.apply(lambda column: column.str.strip().str.lower())


def read(path):
    table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    table.columns = [name.lower() for name in table.columns]
    for name in USER_NUMBERS + ITEM_NUMBERS + ["productrating", "customernumber"]:
        if name in table:
            table[name] = pd.to_numeric(table[name])
    return table


def train(ratings, users, items, user_features, item_features):
    """Returns the model of the epoch with the least error on a tenth of the ratings that is held out."""
    random = np.random.default_rng(SEED)
    user_of = ratings["customernumber"].map({id: row for row, id in enumerate(users["customernumber"])}).to_numpy()
    item_of = ratings["productcode"].map({id: row for row, id in enumerate(items["productcode"])}).to_numpy()
    rating = torch.tensor(ratings["productrating"].to_numpy(), dtype=torch.float32)
    held_out, kept = np.split(random.permutation(len(ratings)), [len(ratings) // 10])

    model = TwoTowers(user_features.shape[1], item_features.shape[1])
    line = nn.Parameter(torch.tensor([float(rating[kept].mean()), 1.0]))  # rating = line[0] + line[1] * cosine
    optimizer = torch.optim.Adam([*model.parameters(), line], lr=2e-3, weight_decay=1e-4)
    best, best_error = None, float("inf")
    for _ in range(EPOCHS):
        for rows in np.array_split(random.permutation(kept), max(1, len(kept) // BATCH)):
            user, item = model.user(user_features[user_of[rows]]), model.item(item_features[item_of[rows]])
            drawn = model.item(item_features[random.integers(len(item_features), size=len(rows))])
            cosine = (user * item).sum(1)
            rated = nn.functional.mse_loss(line[0] + line[1] * cosine, rating[rows])
            compared = -nn.functional.logsigmoid(SHARPNESS * (cosine - (user * drawn).sum(1))).mean()
            optimizer.zero_grad()
            (rated + COMPARISON_WEIGHT * compared).backward()
            optimizer.step()
        with torch.no_grad():
            cosine = (model.user(user_features[user_of[held_out]]) * model.item(item_features[item_of[held_out]])).sum(1)
            error = float(nn.functional.mse_loss(line[0] + line[1] * cosine, rating[held_out]))
        if error < best_error:
            best, best_error = copy.deepcopy(model.state_dict()), error
    model.load_state_dict(best)
    mean_error = float(((rating[held_out] - rating[kept].mean()) ** 2).mean())
    print(f"mean squared error on held-out ratings {best_error:.3f} (always the mean: {mean_error:.3f})")
    return model.eval(), best_error


def write_embeddings(path, ids, vectors):
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write("id,embedding\n")
        for id, vector in zip(ids, vectors):
            file.write(f'{id},"[{",".join(f"{x:.8g}" for x in vector)}]"\n')


def nearest(user_vectors, item_vectors, item_ids):
    cosines = user_vectors @ item_vectors.T
    top = torch.topk(cosines, 5, dim=1)
    return [[{"id": item_ids[i], "cosine": round(float(c), 6)} for c, i in zip(values, rows)]
            for values, rows in zip(top.values, top.indices)]


def write_parity(path, model, error, users, features, item_vectors, item_ids):
    known = users.dropna(subset=USER_NUMBERS).rename(columns={"creditlimit": "credit_limit"})
    asked = known[["city", "country", "credit_limit"]].to_dict("records") + STRANGERS
    table = pd.DataFrame(asked).rename(columns={"credit_limit": "creditlimit"})
    vectors = model.user(features(table))
    top = nearest(vectors, item_vectors, item_ids)
    lines = [json.dumps({**user, "embedding": [round(float(x), 7) for x in vector], "top5": five}, ensure_ascii=False)
             for user, vector, five in zip(asked, vectors, top)]
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write(json.dumps({"torch": torch.__version__, "val_mse": round(error, 6)})[:-1])
        file.write(', "users": [\n' + ",\n".join(lines) + "\n]}\n")


def report_truth(path, users, items, user_vectors, item_vectors):
    """Prints how well the cosine orders the products for each customer, against the planted affinity."""
    truth = json.loads(path.read_text())
    user = {u["customerNumber"]: u["factors"] for u in truth["customerFactors"]}
    item = {i["productCode"]: i["factors"] for i in truth["productFactors"]}
    planted = np.array([user[id] for id in users["customernumber"]]) @ np.array([item[id] for id in items["productcode"]]).T
    learned = (user_vectors @ item_vectors.T).numpy()
    ranks = [np.corrcoef(np.argsort(np.argsort(p)), np.argsort(np.argsort(l)))[0, 1] for p, l in zip(planted, learned)]
    print(f"rank correlation with the planted affinity, mean over customers: {np.mean(ranks):.3f}")
    top = np.argsort(-learned, axis=1)[:, :5]
    print(f"planted affinity of the five recommended: {np.take_along_axis(planted, top, 1).mean():.3f}"
          f" (of all products: {planted.mean():.3f}, of the true five: {-np.sort(-planted, 1)[:, :5].mean():.3f})")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data", type=pathlib.Path, required=True, help="folder with training.csv and products.csv")
    arguments.add_argument("--out", type=pathlib.Path, required=True, help="folder that takes artifacts/ and parity.json")
    options = arguments.parse_args()
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)

    ratings, items = read(options.data / "training.csv"), read(options.data / "products.csv")
    users = ratings.drop_duplicates("customernumber").reset_index(drop=True)
    user_features = Features(users, USER_NUMBERS, USER_CATEGORIES)
    item_features = Features(items, ITEM_NUMBERS, ITEM_CATEGORIES)
    model, error = train(ratings, users, items, user_features(users), item_features(items))

    artifacts = options.out / "artifacts"
    for folder in ("embeddings", "model", "scalers"):
        (artifacts / folder).mkdir(parents=True, exist_ok=True)
    success = artifacts / "embeddings" / "_SUCCESS"
    success.unlink(missing_ok=True)
    with torch.no_grad():
        user_vectors, item_vectors = model.user(user_features(users)), model.item(item_features(items))
        write_embeddings(artifacts / "embeddings/user_embeddings.csv", users["customernumber"], user_vectors)
        write_embeddings(artifacts / "embeddings/item_embeddings.csv", items["productcode"], item_vectors)
        write_parity(options.out / "parity.json", model, error, users, user_features, item_vectors, list(items["productcode"]))
    torch.save(model.state_dict(), artifacts / "model/best_model.pth")
    for side, features in (("user", user_features), ("item", item_features)):
        (artifacts / f"scalers/{side}_ohe.pkl").write_bytes(pickle.dumps(features.one_hot))
        (artifacts / f"scalers/{side}_std_scaler.pkl").write_bytes(pickle.dumps(features.scaler))
    success.touch()
    if (options.data / "truth.json").exists():
        report_truth(options.data / "truth.json", users, items, user_vectors, item_vectors)


if __name__ == "__main__":
    main()
