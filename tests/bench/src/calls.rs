//! Counts the AWS calls of each function: a proxy between it and the local cloud, one per function. Passes everything on
//! unchanged.

use crate::cloudwatch::Wanted;
use crate::http::{Request, listen, read_request};
use crate::report::Failure;
use std::collections::BTreeMap;
use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A kind of call.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// The function that called.
    pub function: String,
    /// The service, as in the signature: `dynamodb`, `monitoring` …
    pub service: String,
    /// The operation.
    pub operation: String,
}

/// How often, and how much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Calls.
    pub calls: u64,
    /// Bytes of their bodies.
    pub bytes: u64,
    /// Started kilobytes of their bodies, at least one each.
    pub kilobytes: u64,
    /// Metrics that GetMetricData asked for.
    pub metrics: u64,
}

/// One call in time.
#[derive(Clone, Debug)]
pub struct Timed {
    /// What was called.
    pub kind: Kind,
    /// When the request was there.
    pub began: Instant,
    /// When its answer began; none when there was none.
    pub answered: Option<Instant>,
}

impl Timed {
    /// When it was over.
    pub fn ended(&self) -> Instant {
        self.answered.unwrap_or(self.began)
    }

    /// Time that it took.
    pub fn took(&self) -> Duration {
        self.ended() - self.began
    }
}

/// All calls so far. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    counts: Arc<Mutex<BTreeMap<Kind, Count>>>,
    times: Arc<Mutex<Vec<Timed>>>,
}

impl Calls {
    /// What was counted so far.
    pub fn counts(&self) -> BTreeMap<Kind, Count> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The calls of a function in the order in which they began.
    pub fn of(&self, function: &str) -> Vec<Timed> {
        let times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        let mut calls: Vec<Timed> = times.iter().filter(|call| call.kind.function == function).cloned().collect();
        calls.sort_by_key(|call| call.began);
        calls
    }

    /// A proxy to the cloud for one function; gives its address.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn proxy(&self, function: &str, cloud: SocketAddr) -> Result<SocketAddr, Failure> {
        let (calls, function) = (self.clone(), function.to_owned());
        listen(move |client| calls.pass_on(&function, client, cloud))
    }

    fn pass_on(&self, function: &str, client: TcpStream, cloud: SocketAddr) -> io::Result<()> {
        let mut upstream = TcpStream::connect(cloud)?;
        client.set_nodelay(true)?;
        upstream.set_nodelay(true)?;
        let (mut answers, mut back) = (upstream.try_clone()?, client.try_clone()?);
        // A connection carries one call at a time: what comes back answers the last one.
        let waiting: Arc<Mutex<Option<usize>>> = Arc::default();
        let (times, asked) = (Arc::clone(&self.times), Arc::clone(&waiting));
        std::thread::spawn(move || {
            let mut part = vec![0; 1 << 16];
            // Either side may go away at any time; then both connections end.
            while let Ok(length @ 1..) = answers.read(&mut part) {
                if let Some(call) = asked.lock().unwrap_or_else(PoisonError::into_inner).take() {
                    times.lock().unwrap_or_else(PoisonError::into_inner)[call].answered = Some(Instant::now());
                }
                if back.write_all(&part[..length]).is_err() {
                    break;
                }
            }
            back.shutdown(Shutdown::Both).ok();
        });
        let mut reader = BufReader::new(client);
        while let Some(request) = read_request(&mut reader)? {
            let call = self.count(function, &request);
            *waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some(call);
            upstream.write_all(&request.head)?;
            upstream.write_all(&request.body)?;
        }
        upstream.shutdown(Shutdown::Write)
    }

    /// Counts a call and gives its place among all.
    fn count(&self, function: &str, request: &Request) -> usize {
        let (service, operation) = (service(request), operation(request));
        let metrics = if operation == "GetMetricData" {
            Wanted::read(&request.body).map_or(0, |wanted| wanted.queries.len())
        } else {
            0
        };
        let kind = Kind { function: function.to_owned(), service, operation };
        let began = Instant::now();
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        times.push(Timed { kind: kind.clone(), began, answered: None });
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(kind).or_default();
        let bytes = request.body.len() as u64;
        count.calls += 1;
        count.bytes += bytes;
        count.kilobytes += bytes.div_ceil(1_024).max(1);
        count.metrics += metrics as u64;
        times.len() - 1
    }
}

/// The service in the scope of the signature.
fn service(request: &Request) -> String {
    let scope = request.header("authorization").and_then(|text| text.split_once("Credential=")).map(|(_, scope)| scope);
    scope.and_then(|scope| scope.split('/').nth(3)).unwrap_or("unknown").to_owned()
}

/// The operation: by its header in JSON protocols, its path in CBOR, its form in the query protocol, its method in S3.
fn operation(request: &Request) -> String {
    if let Some((_, operation)) = request.header("x-amz-target").and_then(|target| target.rsplit_once('.')) {
        return operation.to_owned();
    }
    if let Some((_, operation)) = request.path.split_once("/operation/") {
        return operation.to_owned();
    }
    let form = String::from_utf8_lossy(&request.body);
    let action = form.split('&').find_map(|pair| pair.strip_prefix("Action="));
    action.map_or_else(|| request.method.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(head: &str, body: &str) -> Request {
        let text = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        read_request(&mut text.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn knows_the_operation_in_every_protocol_of_aws() {
        let signed = "authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, X";
        let json = request(&format!("POST / HTTP/1.1\r\nx-amz-target: DynamoDB_20120810.GetItem\r\n{signed}"), "{}");
        assert_eq!((service(&json).as_str(), operation(&json).as_str()), ("dynamodb", "GetItem"));
        let cbor = request("POST /service/GraniteServiceVersion20100801/operation/GetMetricData HTTP/1.1", "");
        assert_eq!(operation(&cbor), "GetMetricData");
        let form = request("POST / HTTP/1.1", "Version=1&Action=DescribeAutoScalingGroups");
        assert_eq!(operation(&form), "DescribeAutoScalingGroups");
        assert_eq!(operation(&request("PUT /bucket/key HTTP/1.1", "x")), "PUT");
        assert_eq!(service(&form), "unknown");
    }
}
