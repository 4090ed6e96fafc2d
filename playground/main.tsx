import { effect } from "@preact/signals"
import { render } from "preact"
import { Inspector } from "./inspector/inspector.tsx"
import { FIRST_EXAMPLE, GALLERY } from "./model/gallery/index.ts"
import { Examples, openExample } from "./shell/examples.tsx"
import { Header } from "./shell/header.tsx"
import { listenForInput } from "./shell/intake.ts"
import { keepForReload, openKept } from "./shell/keep.ts"
import { lazy } from "./shell/lazy.tsx"
import { createPageState, type PageState } from "./shell/page-state.ts"
import { SourceLine } from "./shell/source-line.tsx"
import { takeTurn } from "./shell/turn.ts"
import "./style/field-class.css"
import "./style/page.css"
import "./style/inspector.css"
import "./style/dialog.css"

interface ReplayProps {
  readonly session: PageState["session"]
  readonly onOpenPacket: (bytes: Uint8Array) => void
}

interface LiveProps {
  readonly onOpenPacket: (bytes: Uint8Array) => void
}

const Replay = lazy<ReplayProps>(async () => (await import("./replay-view/index.tsx")).Replay)
const Live = lazy<LiveProps>(async () => (await import("./live/live.tsx")).Live)
const Share = lazy(async () => (await import("./shell/share.tsx")).Share)
const Build = lazy(async () => (await import("./inspector/build-dialog.tsx")).BuildDialog)
const Compare = lazy(async () => (await import("./inspector/compare-dialog.tsx")).CompareDialog)

const inspectPacket = (page: PageState, bytes: Uint8Array, words: string): void => {
  takeTurn(page)
  page.sourceText.value = undefined
  page.bench.showBytes(bytes, words)
  page.mode.value = "inspect"
}

const Page = ({ page }: { readonly page: PageState }) => (
  <>
    <Header page={page} />
    {page.mode.value === "inspect" ? (
      <>
        <SourceLine page={page} />
        <Inspector page={page} />
      </>
    ) : page.mode.value === "replay" ? (
      <main class="replay-place">
        <Replay
          session={page.session}
          onOpenPacket={(bytes: Uint8Array) => inspectPacket(page, bytes, "a packet of the session")}
        />
      </main>
    ) : (
      <main class="replay-place">
        <Live
          onOpenPacket={(bytes: Uint8Array) => inspectPacket(page, bytes, "a packet of the server, its nonce blank")}
        />
      </main>
    )}
    {page.dialog.value === "examples" && <Examples page={page} />}
    {page.dialog.value === "share" && <Share page={page} />}
    {page.dialog.value === "build" && <Build page={page} />}
    {page.dialog.value === "compare" && <Compare page={page} />}
    <p class="said" role="status">
      {page.bench.said}
    </p>
  </>
)

/** Ctrl-Z and Ctrl-Y, or Ctrl-Shift-Z, wherever no text is being typed. */
const listenForKeys = ({ bench, mode }: PageState): void => {
  document.addEventListener("keydown", (event) => {
    const { target, ctrlKey, metaKey, shiftKey, key } = event
    if (target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || mode.value !== "inspect") return
    if (!ctrlKey && !metaKey) return
    const name = key.toLowerCase()
    if (name === "z" && !shiftKey) bench.undo()
    else if (name === "y" || name === "z") bench.redo()
    else return
    event.preventDefault()
  })
}

const page = createPageState(document.documentElement.dataset.live !== undefined)
const root = document.getElementById("page")
if (root === null) throw new Error("the page has no place")

effect(() => {
  const theme = page.theme.value
  if (theme === "system") delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
})
const isReload = openKept(page)
if (!isReload) openExample(page, FIRST_EXAMPLE)
// Who comes from a server wants to see that first.
if (page.isLive) page.mode.value = "live"
effect(() => {
  // What was said is read or heard by then, and no longer true of what is done next.
  if (page.bench.said.value === "") return
  const timer = setTimeout(() => {
    page.bench.said.value = ""
  }, 6000)
  return () => clearTimeout(timer)
})
effect(() => {
  page.bench.packet.value
  page.mode.value
  page.session.value
  if (page.keeping.value) import("./shell/fragment.ts").then(({ keepInAddress }) => keepInAddress(page))
})
effect(() => {
  // Nobody who comes to Replay finds it empty.
  if (page.mode.value !== "replay" || page.session.value !== undefined) return
  const example = GALLERY.find(({ kind }) => kind === "session")
  if (example?.kind === "session") page.session.value = example.session()
})
listenForInput(page)
listenForKeys(page)
render(<Page page={page} />, root)
keepForReload(page)
if (!isReload && location.hash.length > 1)
  import("./shell/fragment.ts").then(({ openFragment }) => openFragment(page, location.hash))
addEventListener("hashchange", () => {
  import("./shell/fragment.ts").then(({ openFragment }) => openFragment(page, location.hash))
})
