// What a reader answers is kept in this browser: there again after a reload, ticked in the sidebar, gone on request.
document.addEventListener("DOMContentLoaded", () => {
  const KEY = "dlcourse.quiz", LETTERS = "abcd";
  let kept = {};  // {lesson: {given: {question: letters in the order they were opened}, done: whether all were found}}

  const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
  const read = () => {
    try { kept = JSON.parse(localStorage.getItem(KEY)) || kept; } catch { /* no storage here: it lasts as long as the page */ }
    return kept = isObject(kept) ? kept : {};
  };
  const given = (lesson, question) => {
    const letters = isObject(kept[lesson]) && isObject(kept[lesson].given) && kept[lesson].given[question];
    return typeof letters === "string" ? letters : "";
  };
  const write = () => {
    try { localStorage.setItem(KEY, JSON.stringify(kept)); } catch { /* the same */ }
    show();
  };

  const quizzes = [...document.querySelectorAll(".dl-quiz")].map((box) => ({
    box, lesson: box.dataset.lesson, alone: box.classList.contains("dl-alone"),
    questions: [...box.querySelectorAll(".dl-question")].map((part) => ({ id: part.dataset.question, answers: [...part.querySelectorAll("details")] })),
  }));
  const isRight = (question, letter) => Boolean(question.answers[LETTERS.indexOf(letter)]?.querySelector(".dl-right"));

  const choose = (quiz, question, letter) => {
    read();
    if (given(quiz.lesson, question.id).includes(letter)) return;
    const own = isObject(kept[quiz.lesson]) ? kept[quiz.lesson] : kept[quiz.lesson] = {};
    own.given = isObject(own.given) ? own.given : {};
    own.given[question.id] = given(quiz.lesson, question.id) + letter;
    if (!quiz.alone) own.done = quiz.questions.every((each) => [...given(quiz.lesson, each.id)].some((letter) => isRight(each, letter)));
    write();
  };

  const clear = (quiz) => {
    read();
    delete kept[quiz.lesson];
    write();
    document.querySelectorAll(".dl-quiz details[open]").forEach((answer) => { answer.open = false; });
    quiz.box.focus();
  };

  const show = () => {
    for (const quiz of quizzes) {
      const tries = quiz.questions.map((question) => [question, given(quiz.lesson, question.id)]);
      for (const [question, letters] of tries) question.answers.forEach((answer, i) => {
        const verdict = letters.includes(LETTERS[i]) ? (isRight(question, LETTERS[i]) ? "right" : "wrong") : "";
        if (verdict) answer.dataset.tried = verdict; else delete answer.dataset.tried;
      });
      if (!quiz.score) continue;
      const answered = tries.filter(([, letters]) => letters), first = answered.filter(([question, letters]) => isRight(question, letters[0]));
      quiz.score.textContent = answered.length ? `${answered.length} of ${tries.length} answered, ${first.length} right at the first try.` +
        (kept[quiz.lesson]?.done ? " All are found: this quiz is finished." : "") : "";
      quiz.button.hidden = !answered.length;
    }
    document.querySelectorAll(".bd-sidebar-primary a, #quarto-sidebar a").forEach((link) => {
      const lesson = link.pathname.split("/").pop().replace(/\.html$/, ""), done = Boolean(kept[lesson]?.done), tick = link.querySelector(".dl-tick");
      if (done && !tick) link.insertAdjacentHTML("beforeend", ' <span class="dl-tick" role="img" aria-label="quiz finished" title="quiz finished">✓</span>');
      if (!done && tick) tick.remove();
    });
  };

  for (const quiz of quizzes) {
    for (const question of quiz.questions) question.answers.forEach((answer, i) => {
      // A click, or Enter or Space on it. Not "toggle": a browser's search for a word unfolds answers too.
      answer.querySelector("summary").addEventListener("click", () => { if (!answer.open) choose(quiz, question, LETTERS[i]); });
    });
    if (quiz.alone) continue;
    quiz.box.tabIndex = -1;
    quiz.box.insertAdjacentHTML("beforeend", '<div class="dl-end"><p role="status"></p><button type="button">Clear my answers</button></div>');
    [quiz.score, quiz.button] = quiz.box.lastElementChild.children;
    quiz.button.addEventListener("click", () => clear(quiz));
  }
  read();
  show();
  for (const quiz of quizzes) for (const question of quiz.questions) {
    const last = given(quiz.lesson, question.id).slice(-1);
    if (last && question.answers[LETTERS.indexOf(last)]) question.answers[LETTERS.indexOf(last)].open = true;
  }
  addEventListener("storage", (event) => { if (event.key === KEY || event.key === null) { kept = {}; read(); show(); } });
});
