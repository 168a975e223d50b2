// Login and logout answer programs: this sends their forms and shows the page again.
for (const form of document.querySelectorAll('form.account')) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const answer = await fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form)) });
    if (answer.ok) location.assign('/');
    else form.querySelector('output')?.replaceChildren((await answer.json()).title);
  });
}
