"One room for each kind of target or data."
