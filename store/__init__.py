"""An append-only event log in LMDB with views, checkpoints and blobs; knows nothing of Lambda."""
