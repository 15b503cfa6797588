"From items to batches, blind to what an item is."
