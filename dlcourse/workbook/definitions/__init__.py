"Exercises and questions of the lessons: one Python file of small functions and one TOML file of data for each lesson."
