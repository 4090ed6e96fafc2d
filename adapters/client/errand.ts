import type { ClientEvent, Command } from "../../core/client/index.ts"
import type { Engine } from "./engine.ts"
import { badRequest, PortControlError } from "./error.ts"
import { type Waiting, wait } from "./waiting.ts"

/** What is asked of a server once. */
type Errand = Extract<Command, { readonly type: "announce" | "external-address" | "unmap-all" }>

/** What it said to that. */
export type ErrandAnswer = Extract<
  ClientEvent,
  { readonly type: "announced" | "external-address" | "unmapped-all" | "failed" }
>

const ANSWERS: readonly string[] = [
  "announced",
  "external-address",
  "unmapped-all",
  "failed",
] satisfies readonly ErrandAnswer["type"][]

const isAnswer = (event: ClientEvent): event is ErrandAnswer => ANSWERS.includes(event.type)

type Asked = Errand extends infer One ? (One extends Errand ? Omit<One, "id" | "servers"> : never) : never

/** Asks one server, and waits for what it says. */
export const ask = (engine: Engine, server: string, asked: Asked, waiting: Waiting): Promise<ErrandAnswer> =>
  wait(engine.runtime.clock, waiting, ({ resolve, reject }) => {
    const id = engine.freshId(`${asked.type} ${server}`)
    const stop = engine.listen((event) => {
      if (isAnswer(event) && event.id === id && event.server === server) resolve(event)
    })
    const stopClose = engine.onClose(() => reject(new PortControlError("closed", "the client is closed")))
    const refused = engine.command({ ...asked, id, servers: [server] })
    if (refused !== undefined) reject(badRequest(refused))
    return () => {
      stop()
      stopClose()
    }
  })
