/** Benches that have a network namespace of their own. */
import { spawn, spawnSync } from "node:child_process"
import { path } from "./pinned.ts"

const INSIDE = "BENCH_INSIDE_NAMESPACE"

/** Runs a bench beside miniupnpd in a network namespace as `namespace.sh` makes it; `file` is the bench's own, which is run again there. */
export const unshared = async (file: string, inside: () => Promise<void>): Promise<void> => {
  if (process.env[INSIDE] === "yes") return inside()
  const missing = ["unshare", "ip", "nft", "miniupnpd"].filter(
    (program) => spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0,
  )
  if (missing.length > 0) {
    console.log(`skipped: ${missing.join(", ")} missing (Debian: util-linux iproute2 nftables miniupnpd-nftables)`)
    return
  }
  const words = ["--net", "sh", path("test/bench/udp/namespace.sh"), process.execPath, file, ...process.argv.slice(2)]
  const run = spawn("unshare", words, { stdio: "inherit", env: { ...process.env, [INSIDE]: "yes" } })
  process.exitCode = await new Promise<number>((resolve) => run.once("exit", (code) => resolve(code ?? 1)))
}
