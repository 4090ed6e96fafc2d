import { clock } from "#runtime"
import { ResultCode, resultLifetime, resultName } from "../../../core/wire/index.ts"
import { complain } from "../complain.ts"
import { Exit, type ExitCode } from "../exit.ts"
import { wallClock } from "../wall-clock.ts"
import { durationText } from "./duration.ts"
import { failureRecord, failureText } from "./failure.ts"
import { serverRecord } from "./find.ts"
import { hasAnswered, type Inquiry } from "./inquiry.ts"
import { viaText } from "./mapping-words.ts"
import type { ServerOptions } from "./server-options.ts"
import { isForgiven, sayFailure, survey } from "./survey.ts"
import { worstOf } from "./verdict.ts"

/** Asks servers whether they are there; gives the exit code. */
export const announce = async (options: ServerOptions): Promise<ExitCode> => {
  const seen = await survey({ announce: true }, options)
  if (typeof seen === "number") return seen
  const { inquiries } = seen
  const isSomebody = inquiries.some(hasAnswered)
  const codes = inquiries.flatMap((one) => {
    return tell(one, isForgiven(one, seen, isSomebody), options.json === true) ?? []
  })
  const good = codes.filter((code) => code === Exit.DONE)
  if (good.length === codes.length) return Exit.DONE
  if (good.length > 0) return Exit.PARTLY
  return codes.every((code) => code === codes[0]) ? codes[0] : Exit.FAILED
}

/** Prints what one said; gives the exit code that it would have alone, or none for a gateway that need not answer. */
const tell = ({ server, announced }: Inquiry, forgiven: boolean, json: boolean): ExitCode | undefined => {
  const { client: _, ...end } = server.ends[0]
  const time = wallClock(clock).time()
  const print = (text: string): boolean => process.stdout.write(`${text}\n`)
  if (announced?.ok !== true) {
    const failure = announced?.failure ?? ({ kind: "no-answer", sent: 0 } as const)
    if (json) print(JSON.stringify({ time, event: "failed", server: serverRecord(end), ...failureRecord(failure) }))
    else sayFailure(server.name, announced?.failure, forgiven)
    return forgiven ? undefined : worstOf([announced?.failure])
  }
  const { protocol, epoch, result } = announced.value
  if (json) {
    const name = resultName(result)
    print(
      JSON.stringify({
        time,
        event: "announced",
        server: serverRecord(end),
        via: protocol,
        epoch,
        result: { code: result, name },
      }),
    )
  } else print(`${server.name} speaks ${viaText(protocol)}, Epoch Time ${epoch} s (${durationText(epoch)})`)
  if (result === ResultCode.SUCCESS) return Exit.DONE
  if (!json) complain(`${server.name}: ${failureText({ kind: "result", code: result, lifetime: 0 })}`)
  return resultLifetime(result) === "short" ? Exit.SHORT_ERROR : Exit.FAILED
}
