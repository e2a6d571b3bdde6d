//! The little HTTP that stub services on this machine need: requests with a length, one answer each, kept connections.
//!
//! A thread per connection. No chunked requests, no TLS: the SDKs send neither to a loopback address.

use crate::report::Failure;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

/// Largest body that is taken, in bytes.
const BODY_MAX: usize = 64 << 20;

/// A request.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `GET`, `POST` …
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Head as it came, the empty line included.
    pub head: Vec<u8>,
    /// Body.
    pub body: Vec<u8>,
}

impl Request {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(&self.head).ok()?.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Extra header lines, each ended by CR LF.
    pub headers: &'static str,
    /// Body.
    pub body: Vec<u8>,
}

/// Reads the next request; none when the other side has closed the connection.
///
/// # Errors
/// When the connection breaks, or what comes is no HTTP.
pub fn read_request(reader: &mut impl BufRead) -> io::Result<Option<Request>> {
    let mut head = Vec::new();
    loop {
        let before = head.len();
        reader.read_until(b'\n', &mut head)?;
        match head.len() - before {
            0 if before == 0 => return Ok(None),
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            2 if before > 0 && head.ends_with(b"\r\n\r\n") => break,
            _ => {}
        }
    }
    let first = String::from_utf8_lossy(head.split(|byte| *byte == b'\r').next().unwrap_or_default()).into_owned();
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut request = Request { method, path, head, body: Vec::new() };
    let length = request.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    if length > BODY_MAX {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    request.body = vec![0; length];
    reader.read_exact(&mut request.body)?;
    Ok(Some(request))
}

/// Accepts connections on a free port of this machine until the process ends; gives its address.
///
/// # Errors
/// When no port can be had.
pub fn listen(serve: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static) -> Result<SocketAddr, Failure> {
    let no_port = |error: io::Error| format!("no port on 127.0.0.1: {error}");
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(no_port)?;
    let address = listener.local_addr().map_err(no_port)?;
    let serve = Arc::new(serve);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = Arc::clone(&serve);
            // A broken connection is the client's to notice.
            std::thread::spawn(move || serve(stream).ok());
        }
    });
    Ok(address)
}

/// A service that answers each request by itself.
///
/// # Errors
/// When no port can be had.
pub fn service(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Result<SocketAddr, Failure> {
    listen(move |stream| {
        stream.set_nodelay(true)?;
        let mut writer = stream.try_clone()?;
        let mut reader = BufReader::new(stream);
        while let Some(request) = read_request(&mut reader)? {
            let Answer { status, headers, body } = answer(&request);
            let head = format!("HTTP/1.1 {status} -\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
            writer.write_all(&[head.as_bytes(), &body].concat())?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_head_and_body_and_leaves_the_next_request() {
        let text = b"POST /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\n\r\n";
        let mut reader = &text[..];
        let first = read_request(&mut reader).unwrap().unwrap();
        assert_eq!((first.method.as_str(), first.path.as_str(), &first.body[..]), ("POST", "/a?b", &b"abc"[..]));
        assert_eq!(first.header("HOST"), Some("x"));
        assert_eq!(read_request(&mut reader).unwrap().unwrap().method, "GET");
        assert!(read_request(&mut reader).unwrap().is_none());
    }

    #[test]
    fn refuses_a_request_that_breaks_off() {
        assert!(read_request(&mut &b"GET / HTTP/1.1\r\nHost"[..]).is_err());
        assert!(read_request(&mut &b"PUT / HTTP/1.1\r\ncontent-length: 5\r\n\r\nab"[..]).is_err());
    }
}
