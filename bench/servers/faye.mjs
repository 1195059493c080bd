// faye's websocket-driver, wired as its README does.
import websocket from "websocket-driver";
import { options } from "./options.mjs";
import { listen, web } from "./web.mjs";

const drivers = new Set();

const send = (driver, data) => (typeof data === "string" ? driver.text(data) : driver.binary(data));

web.on("upgrade", (request, socket, head) => {
  const driver = websocket.http(request, { maxLength: 2 ** 26 - 1 });
  driver.io.write(head);
  socket.pipe(driver.io).pipe(socket);
  socket.on("error", () => undefined);
  drivers.add(driver);
  driver.on("close", () => {
    drivers.delete(driver);
    socket.end();
  });
  if (options.broadcast)
    driver.on("message", ({ data }) => {
      for (const other of drivers) send(other, data);
    });
  else driver.on("message", ({ data }) => send(driver, data));
  driver.start();
});
listen();
