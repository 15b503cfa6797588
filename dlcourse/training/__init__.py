"The Learner and what changes how it trains."
