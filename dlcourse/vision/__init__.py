"Pictures: files, transforms, augmentation, architectures."
