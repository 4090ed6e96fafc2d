/**
 * Two builds of one page: split into files, for a server, and with `--mode file` all in one file that works from `file://`, where browsers
 * load no modules.
 */
import { defineConfig, type Plugin } from "vite"

/** The file that the second build makes. */
const ALONE = "sallyport-playground.html"

const hashOf = async (script: string): Promise<string> => {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(script))
  return `'sha256-${btoa(String.fromCharCode(...new Uint8Array(digest)))}'`
}

/** Nothing may be connected to, whatever the page is made to do. Styles are set by scripts, and a worker is a blob of the page's own. */
const policy = (scripts: string): string =>
  [
    "default-src 'none'",
    `script-src ${scripts}`,
    "style-src 'self' 'unsafe-inline'",
    "img-src data: blob:",
    "worker-src blob:",
    "connect-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ")

/** Who opens the split page from a disk gets the other one. */
const ELSEWHERE = `if(location.protocol==="file:")location.replace("${ALONE}"+location.hash)`

const metaOf = (scripts: string): string =>
  `<meta charset="utf-8" />\n    <meta http-equiv="Content-Security-Policy" content="${policy(scripts)}" />`

const withPolicy: Plugin = {
  name: "policy",
  apply: "build",
  transformIndexHtml: {
    order: "post",
    handler: async (html) =>
      html
        .replace('<meta charset="utf-8" />', metaOf(`'self' ${await hashOf(ELSEWHERE)}`))
        .replace("</title>", `</title>\n    <script>${ELSEWHERE}</script>`),
  },
}

/** Puts script and style into the page itself: a module that is fetched from nowhere runs from a disk as well. */
const inOneFile: Plugin = {
  name: "one-file",
  apply: "build",
  enforce: "post",
  async generateBundle(_, bundle) {
    const page = bundle["index.html"]
    if (page?.type !== "asset" || typeof page.source !== "string") throw new Error("there is no page")
    let [script, style] = ["", ""]
    for (const [name, part] of Object.entries(bundle)) {
      if (part.type === "chunk") script += part.code.replaceAll("__VITE_PRELOAD__", "void 0")
      else if (name.endsWith(".css")) style += String(part.source)
      delete bundle[name]
    }
    const safe = script.replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--")
    const source = page.source
      .replace(/\s*<script type="module"[^>]*><\/script>/, "")
      .replace(/\s*<link rel="stylesheet"[^>]*>/g, "")
      .replace('<meta charset="utf-8" />', () => metaOf(""))
      .replace("</head>", () => `<style>${style}</style>\n  </head>`)
      .replace("</body>", () => `<script type="module">${safe}</script>\n  </body>`)
      .replace("script-src ;", `script-src ${await hashOf(safe)};`)
    this.emitFile({ type: "asset", fileName: ALONE, source })
  },
}

export default defineConfig(({ mode }) => ({
  root: import.meta.dirname,
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  plugins: mode === "file" ? [inOneFile] : [withPolicy],
  worker: { format: "iife" },
  build: {
    outDir: "../dist/playground",
    emptyOutDir: mode !== "file",
    target: "es2023",
    modulePreload: mode === "file" ? false : { polyfill: false },
    assetsInlineLimit: 0,
    cssCodeSplit: mode !== "file",
    chunkSizeWarningLimit: 2000,
    ...(mode === "file" ? { rolldownOptions: { output: { codeSplitting: false } } } : {}),
  },
  preview: { host: "127.0.0.1" },
}))
