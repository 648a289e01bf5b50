// Shows this server's description by Swagger UI, which asks no other server; a token that is entered lasts as long as the page.
"use strict";

const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  validatorUrl: null,
  syntaxHighlight: { activated: false }, // its colours are too faint
  persistAuthorization: false,
  deepLinking: false,
  defaultModelsExpandDepth: 0,
});

// What Swagger UI leaves without a name or with a wrong one, or out of reach of the keyboard.
function complete() {
  for (const field of document.querySelectorAll("#swagger-ui input[type=file]:not([aria-label])")) {
    field.setAttribute("aria-label", "File of the request's body");
  }
  for (const button of document.querySelectorAll("#swagger-ui .close-modal:not([aria-label])")) {
    button.setAttribute("aria-label", "Close");
  }
  for (const button of document.querySelectorAll("#swagger-ui button[aria-label]")) {
    // A button that is called otherwise than it reads cannot be found by its name.
    const text = button.textContent.trim().toLowerCase();
    if (text && !button.getAttribute("aria-label").toLowerCase().includes(text)) button.removeAttribute("aria-label");
  }
  for (const block of document.querySelectorAll("#swagger-ui pre:not([tabindex])")) {
    if (block.scrollWidth > block.clientWidth || block.scrollHeight > block.clientHeight) block.tabIndex = 0;
  }
}
new MutationObserver(complete).observe(document.getElementById("swagger-ui"), { childList: true, subtree: true });
