# Serves echo.mjs on a TCP socket of workerd's.
#
#   npm run build
#   npx workerd serve examples/workerd/config.capnp --socket-addr echo=127.0.0.1:5000
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "echo", worker = .echo)],
  # For wss: it is tcp = (tlsOptions = (keypair = (privateKey = embed "key.pem", certificateChain = embed "cert.pem"))).
  sockets = [(name = "echo", address = "127.0.0.1:5000", tcp = (), service = "echo")],
);

const echo :Workerd.Worker = (
  compatibilityDate = "2026-01-01",
  # workerd takes no packages, but the files of one. A bundler makes one file of all this:
  # npx esbuild echo.mjs --bundle --format=esm --conditions=workerd --external:cloudflare:* --outfile=worker.js
  modules = [
    (name = "echo.mjs", esModule = embed "echo.mjs"),
    (name = "hybi", esModule = embed "../../dist/workerd/index.js"),
    (name = "shared/driver.js", esModule = embed "../../dist/workerd/shared/driver.js"),
    (name = "shared/codec.js", esModule = embed "../../dist/workerd/shared/codec.js"),
    (name = "shared/common.js", esModule = embed "../../dist/workerd/shared/common.js"),
  ],
);
