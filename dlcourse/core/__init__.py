"Where tensors live, where data comes from, how things are drawn and how they are checked."
