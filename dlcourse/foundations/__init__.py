"Pure functions and tiny classes on tensors: what the lessons derive by hand."
