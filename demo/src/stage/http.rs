//! Requests of the director's own: one connection each, on this machine.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use crate::Failure;

const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn get(port: u16, path: &str, token: &str) -> Result<Vec<u8>, Failure> {
    request(port, "GET", path, token, "")
}

pub(super) fn post(port: u16, path: &str, token: &str, body: &str) -> Result<Vec<u8>, Failure> {
    request(port, "POST", path, token, body)
}

/// The body of a good answer.
fn request(port: u16, method: &str, path: &str, token: &str, body: &str) -> Result<Vec<u8>, Failure> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    // The older version has no chunks: the answer ends with the connection.
    let head = format!(
        "{method} {path} HTTP/1.0\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + body).as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").ok_or("the server answered half a head")?;
    let status = String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned();
    match status.split(' ').nth(1) {
        Some("200") => Ok(answer.split_off(end + 4)),
        _ => Err(format!("{method} {path} was answered by {status}").into()),
    }
}
