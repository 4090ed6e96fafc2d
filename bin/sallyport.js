#!/usr/bin/env node
/** The command: in a clone its sources, which need no build; in the package, which has none of them, the bundle. */
const isMissing = (cause) => cause.code === "ERR_MODULE_NOT_FOUND" && /adapters.cli.main\.ts/.test(cause.message)

try {
  await import("../adapters/cli/main.ts")
} catch (cause) {
  if (!isMissing(cause)) throw cause
  await import("../dist/cli/main.js")
}
