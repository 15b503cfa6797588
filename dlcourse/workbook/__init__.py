"What makes it a workbook: the command, the site, exercises, quizzes, progress."
