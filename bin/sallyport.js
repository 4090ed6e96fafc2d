#!/usr/bin/env node
/** The command: in a clone its sources, which need no build; in the package, which has none of them, the bundle. */
const isMissing = (cause) => cause.code === "ERR_MODULE_NOT_FOUND" && /adapters.cli.main\.ts/.test(cause.message)

try {
  await import("../adapters/cli/main.ts")
} catch (cause) {
  // An older Node runs no TypeScript; the bundle it does.
  if (!isMissing(cause) && cause.code !== "ERR_UNKNOWN_FILE_EXTENSION") throw cause
  await import("../dist/cli/main.js").catch((missing) => {
    if (isMissing(cause)) throw missing
    console.error(
      "sallyport: this Node runs no TypeScript: npx sallyport takes the project's own, npm run build makes what this one runs",
    )
    process.exitCode = 1
  })
}
