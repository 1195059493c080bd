# Serves dial.mjs, which connects to WebSocket servers.
#
#   npm run build
#   npx workerd serve examples/workerd/dial.capnp --socket-addr dial=127.0.0.1:5001
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "dial", worker = .dial),
    # What workers may reach, which by default is "public" alone, and whom they trust behind wss: URLs.
    (name = "internet", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [(name = "dial", address = "127.0.0.1:5001", http = (), service = "dial")],
);

const dial :Workerd.Worker = (
  compatibilityDate = "2026-01-01",
  modules = [
    (name = "dial.mjs", esModule = embed "dial.mjs"),
    (name = "hybi", esModule = embed "../../dist/workerd/index.js"),
    (name = "shared/driver.js", esModule = embed "../../dist/workerd/shared/driver.js"),
    (name = "shared/codec.js", esModule = embed "../../dist/workerd/shared/codec.js"),
    (name = "shared/common.js", esModule = embed "../../dist/workerd/shared/common.js"),
  ],
);
