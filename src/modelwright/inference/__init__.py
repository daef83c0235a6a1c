"""How a trained graph becomes an answerer: conversion, parity, scorer."""
