//! `tpch DIRECTORY`: the index advisor on TPC-H, on a real Postgres with primary keys only. `scripts/bench-indexes` brings data and queries.
//!
//! Costs are those of the planner, for the queries with their values; so are the prices that the advisor is told, which in life are those of
//! the generic plan. With `times` as a second argument each query is run as well, twice, and the second counts; that takes half an hour.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a measurement that can't go on must fail loudly, and speaks on standard output"
)]

use async_trait::async_trait;
use config::{Database, Tls};
use domain::performance::{Advisor, Budget, Used, Weighs, Work};
use engine::ports::{Clock, Credentials, Databases as _, PortResult, Secrets};
use jiff::Timestamp;
use maintainer_postgres::{Databases, ddl};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;
use testkit::postgres::{PostgresServer, READER, SHOP};
use tokio_postgres::Client;

const SCHEMA: &str = "
CREATE TABLE region (r_regionkey int PRIMARY KEY, r_name text, r_comment text);
CREATE TABLE nation (n_nationkey int PRIMARY KEY, n_name text, n_regionkey int, n_comment text);
CREATE TABLE part (p_partkey int PRIMARY KEY, p_name text, p_mfgr text, p_brand text, p_type text, p_size int, p_container text,
  p_retailprice numeric, p_comment text);
CREATE TABLE supplier (s_suppkey int PRIMARY KEY, s_name text, s_address text, s_nationkey int, s_phone text, s_acctbal numeric,
  s_comment text);
CREATE TABLE partsupp (ps_partkey int, ps_suppkey int, ps_availqty int, ps_supplycost numeric, ps_comment text,
  PRIMARY KEY (ps_partkey, ps_suppkey));
CREATE TABLE customer (c_custkey int PRIMARY KEY, c_name text, c_address text, c_nationkey int, c_phone text, c_acctbal numeric,
  c_mktsegment text, c_comment text);
CREATE TABLE orders (o_orderkey int PRIMARY KEY, o_custkey int, o_orderstatus text, o_totalprice numeric, o_orderdate date,
  o_orderpriority text, o_clerk text, o_shippriority int, o_comment text);
CREATE TABLE lineitem (l_orderkey int, l_partkey int, l_suppkey int, l_linenumber int, l_quantity numeric, l_extendedprice numeric,
  l_discount numeric, l_tax numeric, l_returnflag text, l_linestatus text, l_shipdate date, l_commitdate date, l_receiptdate date,
  l_shipinstruct text, l_shipmode text, l_comment text, PRIMARY KEY (l_orderkey, l_linenumber));";
const TABLES: [&str; 8] = ["region", "nation", "part", "supplier", "partsupp", "customer", "orders", "lineitem"];
/// Size of all indexes as hypopg estimates it, at most: it does not know that a B-tree keeps equal keys once, so that the aim of 80 MB on disk is
/// about twice that in its estimates.
const BYTES_MAX: f64 = 170.0 * 1_048_576.0;
/// A query that has not ended by then counts as this long, in milliseconds.
const TIME_MS_MAX: u32 = 120_000;

struct Users;

#[async_trait]
impl Secrets for Users {
    async fn read(&self, _: &str) -> PortResult<Credentials> {
        Ok(Credentials { username: READER.0.to_owned(), password: READER.1.to_owned() })
    }
}

struct Now;

#[async_trait]
impl Clock for Now {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn wait(&self, seconds: u32) {
        tokio::time::sleep(std::time::Duration::from_secs(u64::from(seconds))).await;
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let directory = std::env::args().nth(1).expect("a directory with data: scripts/bench-indexes");
    let queries: Vec<String> = read_queries(Path::new(&directory));
    let server =
        PostgresServer::start("tpch", &["shared_buffers=512MB", "work_mem=32MB", "max_parallel_workers_per_gather=0"]);
    let owner = server.database("tpch").await;
    owner.batch_execute(SCHEMA).await.unwrap();
    for table in TABLES {
        owner.batch_execute(&format!("COPY {table} FROM '{directory}/{table}.csv' (FORMAT csv)")).await.unwrap();
    }
    owner.batch_execute("VACUUM ANALYZE").await.unwrap();
    let shop = server.session(SHOP, "tpch").await;
    shop.batch_execute(&format!("SET statement_timeout = {TIME_MS_MAX}")).await.unwrap();
    let databases = BTreeMap::from([(
        "tpch".to_owned(),
        Database {
            host: "127.0.0.1".to_owned(),
            port: server.port(),
            database: "tpch".to_owned(),
            read_secret: "maintainer/read/tpch".to_owned(),
            change_secret: None,
            tls: Tls::Off,
            ca_pem: None,
            instance: None,
            has_replica: false,
        },
    )]);
    let looking = Databases::new(&databases, &Users, &Now);
    let is_timed = std::env::args().nth(2).as_deref() == Some("times");
    let before = measure(&shop, &queries, is_timed).await;
    let catalog = looking.catalog("tpch").await.unwrap();
    let work = queries.iter().zip(1..).map(|(query, id)| {
        let text = query.trim().trim_end_matches(';').to_owned();
        let shape = sql::shape(&text).unwrap();
        Work { used: Used { id, text, calls: 1.0, mean_ms: 1_000.0, sd_ms: 0.0, rows: 1.0, blocks: 1.0 }, shape }
    });
    let budget = Budget { indexes_max: 20, bytes_max: BYTES_MAX, share_min: 0.005, weighs: Weighs::Factor };
    let began = Instant::now();
    let mut advisor = Advisor::new(work.collect(), 3_600.0, &catalog, budget);
    loop {
        let questions = advisor.questions();
        if questions.is_empty() {
            break;
        }
        advisor.answer(looking.price("tpch", &questions).await.unwrap());
    }
    let advised = advisor.advice();
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{} questions to the planner in {seconds:.1} s, {} statements without a price",
        advisor.questions_asked(),
        advisor.unpriced().len()
    );
    let mut bytes = 0.0;
    for one in &advised {
        owner.batch_execute(&ddl::create_index(&one.index).unwrap()).await.unwrap();
        let size: i64 = owner
            .query_one("SELECT pg_relation_size($1::text::regclass)", &[&format!("\"{}\"", one.index.name())])
            .await
            .unwrap()
            .get(0);
        bytes += size as f64;
        println!("{:6.1} MiB (estimated {:.1})  {}", size as f64 / 1_048_576.0, one.bytes / 1_048_576.0, one.index);
    }
    owner.batch_execute("VACUUM ANALYZE").await.unwrap();
    let after = measure(&shop, &queries, is_timed).await;
    println!("\nquery  cost before   after    ratio   ms before   after");
    let mut logs = 0.0;
    for (number, (before, after)) in before.iter().zip(&after).enumerate() {
        let ratio = after.0 / before.0;
        logs += ratio.ln();
        println!("{:5}  {:11.0} {:7.0}  {ratio:7.3}  {:10.0} {:7.0}", number + 1, before.0, after.0, before.1, after.1);
    }
    let total = |measured: &[(f64, f64)]| measured.iter().map(|(_, ms)| ms).sum::<f64>() / 1_000.0;
    println!(
        "\n{} indexes of {:.0} MiB; geometric mean of cost after / before {:.3}; {:.1} s for all queries before, {:.1} s after",
        advised.len(),
        bytes / 1_048_576.0,
        (logs / before.len() as f64).exp(),
        total(&before),
        total(&after)
    );
}

fn read_queries(directory: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(directory.join("queries.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Cost and milliseconds of each query.
async fn measure(client: &Client, queries: &[String], is_timed: bool) -> Vec<(f64, f64)> {
    let mut measured = Vec::new();
    for query in queries {
        let query = query.trim().trim_end_matches(';');
        let rows = client.query(&format!("EXPLAIN {query}"), &[]).await.unwrap();
        let first: String = rows[0].get(0);
        let cost = first.split("..").nth(1).and_then(|rest| rest.split(' ').next()).and_then(|cost| cost.parse().ok());
        let mut ms = 0.0;
        for _ in 0..if is_timed { 2 } else { 0 } {
            let began = Instant::now();
            let _may_take_too_long = client.query(query, &[]).await;
            ms = began.elapsed().as_secs_f64() * 1_000.0;
        }
        measured.push((cost.unwrap(), ms));
    }
    measured
}
