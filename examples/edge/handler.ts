/**
 * A decoder as an HTTP service, with what every edge platform has: `Request`, `Response`, and no Node API.
 *
 * POST octets as `application/octet-stream`, a message of PCP or NAT-PMP; or text of any other type: hex, a dump, base64. The answer is JSON:
 * each packet's fields and findings. What cannot be read is 422, with the place where reading ended.
 */
import { describe, dissect, leaves, read, validate } from "sallyport"

/** Octets of a body: enough for a long dump. */
const MOST = 65_536

const packetOf = (bytes: Uint8Array) => {
  const dissection = dissect(bytes)
  const fields = [...leaves(dissection.root)].map((node) => ({
    offset: node.offset,
    length: node.length,
    name: node.field.name,
    text: describe(dissection, node),
    rfc: node.field.rfc,
  }))
  return { summary: describe(dissection, dissection.root), fields, findings: validate(bytes) }
}

const refuse = (status: number, text: string, headers: HeadersInit = {}): Response =>
  Response.json({ error: { text } }, { status, headers })

/** The body, or `undefined` where it is longer than {@link MOST}: what is sent past that is not read. */
const bodyOf = async (request: Request): Promise<Uint8Array | undefined> => {
  const chunks: Uint8Array<ArrayBuffer>[] = []
  let length = 0
  const reader = request.body?.getReader()
  for (let chunk = await reader?.read(); chunk?.value !== undefined; chunk = await reader?.read()) {
    length += chunk.value.length
    if (length > MOST) {
      await reader?.cancel()
      return undefined
    }
    chunks.push(chunk.value)
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer())
}

export default {
  async fetch(request: Request): Promise<Response> {
    if (request.method !== "POST") return refuse(405, "POST a packet: octets, or hex as text", { allow: "POST" })
    const body = await bodyOf(request)
    if (body === undefined) return refuse(413, `a body of more than ${MOST} octets`)
    const type = request.headers.get("content-type")?.split(";", 1)[0]
    if (type === "application/octet-stream") return Response.json({ packets: [packetOf(body)] })
    const reading = read(new TextDecoder().decode(body))
    if (!reading.ok) return Response.json({ error: reading.error }, { status: 422 })
    return Response.json({ packets: reading.packets.map(({ bytes }) => packetOf(bytes)) })
  },
}
