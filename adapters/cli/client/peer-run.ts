import type { Endpoint } from "../../udp.ts"
import { complain } from "../complain.ts"
import { Exit, type ExitCode } from "../exit.ts"
import type { MappingOptions } from "./mapping-options.ts"
import { outboundOf } from "./mapping-request.ts"
import { runMappings } from "./mapping-run.ts"
import type { Target } from "./target.ts"

/** Asks for an outbound mapping; gives the exit code. */
export const peer = async (
  target: Target,
  remote: Endpoint,
  name: string,
  options: MappingOptions,
): Promise<ExitCode> => {
  const wanted = outboundOf(target, remote, name, options)
  if (wanted.ok) return runMappings([wanted.value], options)
  complain(wanted.text)
  return Exit.USAGE
}
