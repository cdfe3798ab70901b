package dump

import (
	"testing"

	"recsys/infra/local/db/mysql"
)

func TestTheHeaderNamesTheEngine(t *testing.T) {
	for header, want := range map[string]mysql.Engine{
		"": mysql.MySQL,
		"CREATE TABLE t (a int) COMMENT '-- MariaDB dump';":                                                                  mysql.MySQL,
		"-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)\n-- Server version\t8.0.36\n":                               mysql.MySQL,
		"-- MySQL dump 10.13  Distrib 9.7.4\n-- Host: mariadb-1    Database: mariadb\n-- Server version\t9.7.4\n":            mysql.MySQL,
		"-- MariaDB dump 10.19  Distrib 10.11.6-MariaDB\n-- Host: db\n-- Server version\t8.4.0\n":                            mysql.MySQL,
		"-- MySQL dump 10.13  Distrib 8.0.36\n-- Server version\t5.5.5-10.6.12-MariaDB\n":                                    mysql.MariaDB,
		"-- MySQL dump 10.19  Distrib 10.11.6-MariaDB, for debian-linux-gnu (x86_64)\n":                                      mysql.MariaDB,
		"/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19-11.8.1-MariaDB\n-- Server version\t11.8.1-MariaDB": mysql.MariaDB,
		"mysqldump: [Warning] insecure\r\n-- phpMyAdmin SQL Dump\r\n-- Server version: 10.4.32-MariaDB\r\n":                  mysql.MariaDB,
		"-- phpMyAdmin SQL Dump\n-- Server version: 8.0.31\n-- PHP Version: 8.2.0\n":                                         mysql.MySQL,
		"-- Adminer 4.8.1 MySQL 10.5.12-MariaDB dump\n":                                                                      mysql.MariaDB,
		"-- Host: localhost\n-- Server version:               10.4.24-MariaDB - mariadb.org binary distribution\n":           mysql.MariaDB,
		"/*\n Source Server Type    : MariaDB\n Source Server Version : 100432\n*/":                                          mysql.MariaDB,
		"CREATE TABLE t (a int) COLLATE=utf8mb4_uca1400_ai_ci;":                                                              mysql.MariaDB,
		"CREATE TABLE t (a int) COLLATE=utf8mb4_0900_ai_ci;":                                                                 mysql.MySQL,
	} {
		if got := engineOf([]byte(header)); got != want {
			t.Errorf("%q is %v's, want %v", header, got, want)
		}
	}
}
