//! A page of the application as a hurried team serves it: nothing is compressed, browsers may keep nothing, a script holds it up.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

/// How long a client may take to ask.
const ASK_MAX: Duration = Duration::from_secs(5);

/// Serves the page on this port of this machine, for as long as the process lives.
///
/// # Errors
/// When the port is taken.
pub fn serve(port: u16) -> std::io::Result<()> {
    let socket = TcpListener::bind(("127.0.0.1", port))?;
    std::thread::spawn(move || {
        // One after the other: the only client is the maintainer, and each answer ends its connection.
        for stream in socket.incoming().flatten() {
            let _whoever_left = answer(stream);
        }
    });
    Ok(())
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_read_timeout(Some(ASK_MAX))?;
    let mut asked = Vec::new();
    let mut some = [0_u8; 2_048];
    while !asked.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut some)? {
            0 => return Ok(()),
            read => asked.extend_from_slice(&some[..read]),
        }
    }
    let asked = String::from_utf8_lossy(&asked);
    let path = asked.split(' ').nth(1).unwrap_or("/");
    let (status, kind, body) = file(path);
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())
}

fn file(path: &str) -> (&'static str, &'static str, String) {
    match path {
        "/" => (
            "200 OK",
            "text/html; charset=utf-8",
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
             <title>Shop</title><script src=\"/shop.js\"></script></head><body><h1>Shop</h1></body></html>"
                .to_owned(),
        ),
        "/shop.js" => {
            let line = |number: u32| format!("window.item{number} = {{ name: \"item {number}\", price: {} }};\n", number % 97);
            ("200 OK", "text/javascript", (0..1_500).map(line).collect())
        }
        _ => ("404 Not Found", "text/plain", "there is no such file\n".to_owned()),
    }
}
